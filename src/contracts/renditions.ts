/** What an asset is made into. */

export type RenditionType =
  'video' | 'audio' | 'image' | 'animation' | 'loop' | 'thumbnail' | 'poster' | 'subtitles' | 'storyboard';

export interface Rendition {
  /** Unique within its asset: `1080p`, `audio-0-eng`, `w640.webp`, `thumb.jpg`, `poster.jpg`. */
  readonly name: string;
  readonly type: RenditionType;
  /** Object key in the media bucket: the playlist of a video or audio rendition, the file of an image. */
  readonly key: string;
  /** Media type of what `key` names. */
  readonly mime: string;
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  /** RFC 6381, e.g. `avc1.640028`. */
  readonly codecs?: string | undefined;
  /** Average bits per second, measured on the finished bytes. */
  readonly bitrate?: number | undefined;
  /** All bytes of the rendition, init segment included. */
  readonly bytes: number;
  /** Seconds. */
  readonly duration?: number | undefined;
  /** BCP 47 or ISO 639-2 as the source has it. */
  readonly language?: string | undefined;
  /** Of a poster: what to show until it is there. Base64. https://evanw.github.io/thumbhash/ */
  readonly thumbHash?: string | undefined;
}
