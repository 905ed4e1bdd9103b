/** The part of ffprobe's JSON that we read. Everything in it may be missing. */

export interface FfprobeStream {
  readonly index: number;
  /** Track ID in MP4, hexadecimal. */
  readonly id?: string;
  readonly codec_type?: string;
  readonly codec_name?: string;
  readonly codec_tag_string?: string;
  readonly width?: number;
  readonly height?: number;
  readonly sample_aspect_ratio?: string;
  readonly field_order?: string;
  readonly pix_fmt?: string;
  readonly color_transfer?: string;
  readonly color_primaries?: string;
  readonly color_space?: string;
  readonly avg_frame_rate?: string;
  readonly nb_frames?: string;
  readonly channels?: number;
  readonly sample_rate?: string;
  readonly disposition?: Readonly<Record<string, number>>;
  readonly tags?: Readonly<Record<string, string>>;
  readonly side_data_list?: readonly {
    readonly side_data_type?: string;
    readonly rotation?: number;
    readonly displaymatrix?: string;
  }[];
}

export interface FfprobeReport {
  readonly streams?: readonly FfprobeStream[];
  readonly format?: { readonly format_name?: string; readonly start_time?: string; readonly duration?: string };
}

/** `30000/1001`, `4:3` -> number; undefined for `0/0`, `0:1` and the like. */
export function ratio(text: string | undefined): number | undefined {
  const [num, den] = (text ?? '').split(/[/:]/).map(Number);
  const value = num! / den!;
  return Number.isFinite(value) && value > 0 ? value : undefined;
}

/** `unknown`, `reserved` and nothing are the same to us. */
export function known(text: string | undefined): string | undefined {
  return text && !['unknown', 'reserved', 'unspecified'].includes(text) ? text : undefined;
}
