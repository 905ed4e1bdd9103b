/** Limits of levels that count samples: HEVC, AV1, VP9. */

export interface SampleLimits {
  readonly level: string;
  /** Luma samples of a picture, and of its longer side. */
  readonly picture: number;
  readonly side: number;
  /** Luma samples per second. */
  readonly rate: number;
  readonly kbps: number;
  /** Kilobits of the coded picture buffer. */
  readonly bufferKbits: number;
}

/** ITU-T H.265, tables A.8 and A.9, main tier. Neither side exceeds Sqrt(MaxLumaPs * 8). */
export const HEVC_LEVELS: readonly SampleLimits[] = (
  [
    ['1.0', 36_864, 552_960, 128, 350],
    ['2.0', 122_880, 3_686_400, 1_500, 1_500],
    ['2.1', 245_760, 7_372_800, 3_000, 3_000],
    ['3.0', 552_960, 16_588_800, 6_000, 6_000],
    ['3.1', 983_040, 33_177_600, 10_000, 10_000],
    ['4.0', 2_228_224, 66_846_720, 12_000, 12_000],
    ['4.1', 2_228_224, 133_693_440, 20_000, 20_000],
    ['5.0', 8_912_896, 267_386_880, 25_000, 25_000],
    ['5.1', 8_912_896, 534_773_760, 40_000, 40_000],
    ['5.2', 8_912_896, 1_069_547_520, 60_000, 60_000],
    ['6.0', 35_651_584, 1_069_547_520, 60_000, 60_000],
    ['6.1', 35_651_584, 2_139_095_040, 120_000, 120_000],
    ['6.2', 35_651_584, 4_278_190_080, 240_000, 240_000],
  ] as const
).map(([level, picture, rate, kbps, bufferKbits]) => ({
  level,
  picture,
  side: Math.floor(Math.sqrt(picture * 8)),
  rate,
  kbps,
  bufferKbits,
}));

/** AV1 specification, A.3, main tier: MaxPicSize, MaxHSize, MaxDisplayRate, MainMbps. */
export const AV1_LEVELS: readonly SampleLimits[] = (
  [
    ['2.0', 147_456, 2048, 4_423_680, 1_500],
    ['2.1', 278_784, 2816, 8_363_520, 3_000],
    ['3.0', 665_856, 4352, 19_975_680, 6_000],
    ['3.1', 1_065_024, 5504, 31_950_720, 10_000],
    ['4.0', 2_359_296, 6144, 70_778_880, 12_000],
    ['4.1', 2_359_296, 6144, 141_557_760, 20_000],
    ['5.0', 8_912_896, 8192, 267_386_880, 30_000],
    ['5.1', 8_912_896, 8192, 534_773_760, 40_000],
    ['5.2', 8_912_896, 8192, 1_069_547_520, 60_000],
    ['6.0', 35_651_584, 16_384, 1_069_547_520, 60_000],
    ['6.1', 35_651_584, 16_384, 2_139_095_040, 100_000],
  ] as const
).map(([level, picture, side, rate, kbps]) => ({ level, picture, side, rate, kbps, bufferKbits: Infinity }));

const anything = { side: Infinity, rate: Infinity, kbps: Infinity, bufferKbits: Infinity };

/** WebM project, VP9 levels, by the size of the picture alone: that is how ffmpeg fills `vpcC`, and it must agree. */
export const VP9_LEVELS: readonly SampleLimits[] = (
  [
    ['1.0', 36_864],
    ['1.1', 73_728],
    ['2.0', 122_880],
    ['2.1', 245_760],
    ['3.0', 552_960],
    ['3.1', 983_040],
    ['4.0', 2_228_224],
    ['5.0', 8_912_896],
    ['6.0', 35_651_584],
  ] as const
).map(([level, picture]) => ({ level, picture, ...anything }));
