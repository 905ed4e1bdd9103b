/** Rules of the multivariant playlist. */
import { isAudioCodec, isVideoCodec, videoUri, within10Percent, type Look, type Rule } from './hls-rule.js';
import type { Attributes, Variant } from './hls-parse.js';
import type { AudioStream, VideoStream } from './presentation.js';

const codecsOf = (attributes: Attributes): string[] => attributes.get('CODECS')?.split(',') ?? [];
const hasVideo = ({ attributes }: Variant): boolean =>
  attributes.has('RESOLUTION') || codecsOf(attributes).some(isVideoCodec);

/** Each variant of a rung with that rung and the sound that may be played with it. */
function pairs(look: Look): { variant: Variant; stream: VideoStream; sound: AudioStream[] }[] {
  const { master, presentation } = look;
  return master.variants.flatMap((variant) => {
    const stream = presentation.video.find((candidate) => videoUri(candidate) === variant.uri);
    return stream ? [{ variant, stream, sound: soundOf(look, variant) }] : [];
  });
}

function soundOf({ master, presentation }: Look, { attributes }: Variant): AudioStream[] {
  const uris = master.media
    .filter((media) => media.get('TYPE') === 'AUDIO' && media.get('GROUP-ID') === attributes.get('AUDIO'))
    .map((media) => media.get('URI'));
  return presentation.audio.filter(({ track }) => uris.includes(`audio/${track.name}/index.m3u8`));
}

const dearestOf = (sound: readonly AudioStream[]): number =>
  Math.max(0, ...sound.map(({ bandwidth }) => bandwidth.peak));
const averageOf = (sound: readonly AudioStream[]): number =>
  Math.max(0, ...sound.map(({ bandwidth }) => bandwidth.average ?? NaN));

const lacking = (variants: readonly (Variant | Attributes)[], name: string): string[] =>
  variants
    .filter((one) => !('attributes' in one ? one.attributes : one).get(name))
    .map((one) => `${'uri' in one ? one.uri : one.get('URI')} has no ${name}.`);

const number = (attributes: Attributes, name: string): number => Number(attributes.get(name) ?? NaN);

/** What a player of one group meets first. */
function firstOfEachGroup(variants: readonly Variant[]): Variant[] {
  const groupOf = ({ attributes }: Variant): string => attributes.get('AUDIO') ?? '';
  return variants.filter((variant, i) => variants.findIndex((other) => groupOf(other) === groupOf(variant)) === i);
}

const DEFAULT_BPS = 2_000_000;

export const MASTER_RULES: readonly Rule[] = [
  {
    rule: '1.26',
    level: 'MUST',
    about: 'text',
    quote: 'the average segment bit rate MUST be within 10% of the AVERAGE-BANDWIDTH attribute',
    problems: (look) =>
      pairs(look).flatMap(({ variant, stream, sound }) => {
        const declared = number(variant.attributes, 'AVERAGE-BANDWIDTH');
        const measured = (stream.bandwidth.average ?? NaN) + averageOf(sound);
        return within10Percent(declared, measured)
          ? []
          : [`${variant.uri} declares an average of ${declared} b/s and has ${Math.round(measured)}.`];
      }),
  },
  {
    rule: '1.27',
    level: 'MUST',
    about: 'text',
    quote: 'the measured peak bit rate MUST be within 10% of the BANDWIDTH attribute',
    problems: (look) =>
      pairs(look).flatMap(({ variant, stream, sound }) => {
        const declared = number(variant.attributes, 'BANDWIDTH');
        const measured = stream.bandwidth.peak + dearestOf(sound);
        return within10Percent(declared, measured)
          ? []
          : [`${variant.uri} declares a peak of ${declared} b/s and has ${Math.round(measured)}.`];
      }),
  },
  {
    rule: '1.32',
    level: 'SHOULD',
    about: 'text',
    quote: 'The default video variants SHOULD be the 2000 kbit/s (average bit rate) variant',
    problems: (look) => {
      const distance = ({ uri }: Variant): number => {
        const stream = look.presentation.video.find((candidate) => videoUri(candidate) === uri);
        return Math.abs((stream?.bandwidth.average ?? 0) - DEFAULT_BPS);
      };
      const variants = look.master.variants.filter(hasVideo);
      return firstOfEachGroup(variants)
        .filter((first) => variants.some((other) => distance(other) < distance(first)))
        .map(({ uri }) => `${uri} is listed first, though another one is nearer to 2000 kbit/s.`);
    },
  },
  {
    rule: '8.9',
    level: 'MUST',
    about: 'text',
    quote: 'Separate audio streams MUST be declared using EXT-X-MEDIA tags',
    problems: (look) =>
      look.presentation.video.length === 0
        ? []
        : look.presentation.audio
            .filter(({ track }) => !pairs(look).some(({ sound }) => sound.some((one) => one.track.name === track.name)))
            .map(({ track }) => `${track.name} is in no group that a variant is played with.`),
  },
  {
    rule: '8.10',
    level: 'MUST',
    about: 'text',
    quote: "The LANGUAGE attribute MUST be included in every EXT-X-MEDIA tag that doesn't have TYPE=VIDEO",
    problems: ({ master }) =>
      lacking(
        master.media.filter((media) => media.get('TYPE') !== 'VIDEO'),
        'LANGUAGE',
      ),
  },
  {
    rule: '5.10',
    level: 'SHOULD',
    about: 'text',
    quote: 'The kind of subtitles SHOULD be specified in the CODECS attribute',
    problems: ({ master }) =>
      master.variants
        .filter(({ attributes }) => attributes.has('SUBTITLES') && !codecsOf(attributes).includes('wvtt'))
        .map(({ uri }) => `${uri} has subtitles and does not say of which kind.`),
  },
  {
    rule: '5.11',
    level: 'SHOULD',
    about: 'text',
    quote: 'Forced subtitles SHOULD always have AUTOSELECT=YES',
    problems: ({ master }) =>
      master.media
        .filter((media) => media.get('FORCED') === 'YES' && media.get('AUTOSELECT') !== 'YES')
        .map((media) => `${media.get('URI')} is forced and not selected automatically.`),
  },
  {
    rule: '6.1',
    level: 'MUST',
    about: 'text',
    quote: 'I-frame playlists (EXT-X-I-FRAME-STREAM-INF) MUST be provided',
    problems: ({ master, presentation }) =>
      presentation.video.length > 0 && master.iframes.length === 0 ? ['There is no I-frame playlist.'] : [],
  },
  {
    rule: '6.9',
    level: 'MUST',
    about: 'text',
    quote: 'The peak segment bit rate MUST be calculated according to the HLS specification',
    problems: ({ master, presentation }) =>
      presentation.video.flatMap(({ rung, timeline, iframes = [] }) => {
        const uri = `video/${rung.name}/iframes.m3u8`;
        const tag = master.iframes.find((one) => one.get('URI') === uri);
        const rates = iframes.map(({ bytes }, i) => (bytes * 8 * timeline.timescale) / timeline.segments[i]!);
        const long = rates.filter((_, i) => timeline.segments[i]! * 2 >= Math.max(...timeline.segments));
        return !tag || within10Percent(number(tag, 'BANDWIDTH'), Math.max(...long))
          ? []
          : [`${uri} declares a peak of ${tag.get('BANDWIDTH')} b/s and has ${Math.round(Math.max(...long))}.`];
      }),
  },
  {
    rule: '9.1',
    level: 'MUST',
    about: 'text',
    quote: 'Your EXT-X-STREAM-INF tag MUST always provide the CODECS attribute',
    problems: ({ master }) => lacking(master.variants, 'CODECS'),
  },
  {
    rule: '9.2',
    level: 'MUST',
    about: 'text',
    quote: 'MUST always provide the RESOLUTION attribute if the rendition includes video',
    problems: ({ master }) => lacking(master.variants.filter(hasVideo), 'RESOLUTION'),
  },
  {
    rule: '9.3',
    level: 'MUST',
    about: 'text',
    quote: 'Your EXT-X-I-FRAME-STREAM-INF tag MUST always provide the CODECS attribute',
    problems: ({ master }) => lacking(master.iframes, 'CODECS'),
  },
  {
    rule: '9.4',
    level: 'MUST',
    about: 'text',
    quote: 'Your EXT-X-I-FRAME-STREAM-INF tag MUST always provide the RESOLUTION attribute',
    problems: ({ master }) => lacking(master.iframes, 'RESOLUTION'),
  },
  {
    rule: '9.5',
    level: 'SHOULD',
    about: 'text',
    quote: 'You SHOULD deliver video and audio as separate streams',
    problems: ({ master }) =>
      master.variants
        .filter((variant) => hasVideo(variant) && codecsOf(variant.attributes).some(isAudioCodec))
        .filter(({ attributes }) => !attributes.has('AUDIO'))
        .map(({ uri }) => `${uri} has sound and names no group of it.`),
  },
  {
    rule: '9.11',
    level: 'SHOULD',
    about: 'text',
    quote: 'you SHOULD use the EXT-X-INDEPENDENT-SEGMENTS tag in the Multivariant Playlist',
    problems: ({ master }) => (master.tags.has('EXT-X-INDEPENDENT-SEGMENTS') ? [] : ['It is not there.']),
  },
  {
    rule: '9.13',
    level: 'MUST',
    about: 'text',
    quote: "BANDWIDTH MUST be the largest sum of peak segment bit rates that's produced by any playable combination",
    problems: (look) =>
      pairs(look)
        .filter(
          ({ variant, stream, sound }) =>
            number(variant.attributes, 'BANDWIDTH') < Math.floor(stream.bandwidth.peak + dearestOf(sound)),
        )
        .map(({ variant }) => `${variant.uri} needs more than it declares.`),
  },
  {
    rule: '9.14',
    level: 'MUST',
    about: 'text',
    quote: 'You MUST include the AVERAGE-BANDWIDTH attribute',
    problems: ({ master }) => lacking(master.variants, 'AVERAGE-BANDWIDTH'),
  },
  {
    rule: '9.15',
    level: 'MUST',
    about: 'text',
    quote: 'Each EXT-X-STREAM-INF tag that includes video content MUST have a FRAME-RATE attribute',
    problems: ({ master }) => lacking(master.variants.filter(hasVideo), 'FRAME-RATE'),
  },
  {
    rule: '9.20+',
    level: 'MUST',
    about: 'text',
    quote: 'You MUST have no audio-only variants listed in the Multivariant Playlist',
    problems: ({ master, presentation }) =>
      presentation.video.length === 0
        ? []
        : master.variants.filter((variant) => !hasVideo(variant)).map(({ uri }) => `${uri} has no picture.`),
  },
];
