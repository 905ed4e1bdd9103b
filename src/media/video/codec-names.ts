/** What a stream is called in manifests (RFC 6381), known before it exists. */
import type { VideoCodec } from '../../contracts/plan.js';

/**
 * 8-bit 4:2:0 in the profile that `videoCodecArgs` asks for: H.264 High, HEVC Main (main tier), AV1 Main
 * (main tier), VP9 profile 0.
 *
 * @param level `4.0`
 */
export function codecsOf(codec: VideoCodec, level: string): string {
  const [major = 0, minor = 0] = level.split('.').map(Number);
  const two = (value: number, radix = 10): string => value.toString(radix).padStart(2, '0');
  switch (codec) {
    case 'h264':
      return `avc1.6400${two(major * 10 + minor, 16)}`;
    case 'hevc':
      // ISO/IEC 14496-15, E.3: compatible with Main and Main 10, progressive frames only.
      return `hvc1.1.6.L${major * 30 + minor * 3}.90`;
    case 'av1':
      return `av01.0.${two((major - 2) * 4 + minor)}M.08`;
    case 'vp9':
      return `vp09.00.${two(major * 10 + minor)}.08`;
  }
}
