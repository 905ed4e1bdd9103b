/**
 * The messages of `proto/mediamill/v1/video.proto` as `definition.ts` has them loaded: camel case, enums as
 * names, 64-bit integers as numbers. In what arrives, an unset field has its default; an unset message is null.
 */
import type { AssetState } from '../../contracts/assets.js';
import type { PartState } from '../../contracts/progress.js';

export interface Timestamp {
  readonly seconds: number;
  readonly nanos: number;
}
export type Duration = Timestamp;

export type VideoState = `VIDEO_STATE_${Uppercase<AssetState>}`;

export interface VideoError {
  readonly code: string;
  readonly message: string;
}

export interface Variant {
  readonly name: string;
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  readonly codecs?: string | undefined;
  readonly bitrate?: number | undefined;
  readonly bytes?: number | undefined;
  readonly url?: string | undefined;
}

export interface Video {
  readonly id: string;
  readonly state: VideoState;
  readonly title?: string | undefined;
  readonly fileName?: string | undefined;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly profile: string;
  readonly priority: number;
  readonly bytes?: number | undefined;
  readonly contentType?: string | undefined;
  readonly sha256?: string | undefined;
  readonly duration?: Duration | undefined;
  readonly createTime: Timestamp;
  readonly updateTime: Timestamp;
  readonly playable: boolean;
  readonly generation: number;
  readonly legalHold: boolean;
  readonly error?: VideoError | undefined;
  readonly variants: readonly Variant[];
  readonly missing: readonly { readonly name: string; readonly error: VideoError }[];
  readonly playback?:
    | {
        readonly hls?: string | undefined;
        readonly dash?: string | undefined;
        readonly poster?: string | undefined;
        readonly storyboard?: string | undefined;
      }
    | undefined;
  readonly etag: string;
  readonly deadline?: Deadline | undefined;
}

export interface Deadline {
  readonly publishBy?: Timestamp | undefined;
  readonly publicationTimeout?: Duration | undefined;
  readonly notBefore?: Timestamp | undefined;
  readonly state?: string | undefined;
  readonly projectedAt?: Timestamp | undefined;
  readonly slack?: Duration | undefined;
  readonly measures: readonly string[];
}

export interface UploadVideoHeader {
  readonly fileName: string;
  readonly contentType: string;
  readonly size?: number;
  readonly sha256: string;
  readonly title: string;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly profile: string;
  readonly priority: number;
  readonly publishBy: Timestamp | null;
  readonly publicationTimeout: Duration | null;
  readonly publishNotBefore: Timestamp | null;
}

export interface UploadVideoRequest {
  readonly data?: 'header' | 'chunk';
  readonly header?: UploadVideoHeader;
  readonly chunk?: Buffer;
}

export interface UploadVideoResponse {
  readonly video: Video;
  readonly uploadId: string;
}

export interface GetVideoRequest {
  readonly id: string;
}

export interface ListVideosRequest {
  readonly pageSize: number;
  readonly pageToken: string;
  readonly query: string;
  readonly state: VideoState | 'VIDEO_STATE_UNSPECIFIED';
  readonly tags: readonly string[];
  readonly createdAfter: Timestamp | null;
  readonly createdBefore: Timestamp | null;
}

export interface ListVideosResponse {
  readonly videos: readonly Video[];
  readonly nextPageToken?: string | undefined;
}

export interface DeleteVideoRequest {
  readonly id: string;
  readonly etag: string;
}

export type DeleteVideoResponse = Record<string, never>;

export interface WatchVideoRequest {
  readonly id: string;
}

export interface Progress {
  readonly percent: number;
  readonly speed?: number | undefined;
  readonly timeLeft?: Duration | undefined;
  readonly stage: string;
  readonly parts: readonly {
    readonly name: string;
    readonly state: `PART_STATE_${Uppercase<PartState>}`;
    readonly error?: VideoError | undefined;
  }[];
}

export interface WatchVideoResponse {
  readonly video: Video;
  readonly progress?: Progress | undefined;
}
