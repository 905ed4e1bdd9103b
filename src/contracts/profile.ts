/**
 * Profiles: what an operator wants made of an upload, as data. Files in `profiles/`, or in a folder of
 * one's own; `profiles/schema.json` and the table in docs/profiles.md are made from this.
 */
import { Type, type Static } from 'typebox';

const fields = <T extends Parameters<typeof Type.Object>[0]>(properties: T, description: string) =>
  Type.Object(properties, { additionalProperties: false, description });
const word = Type.Literal;
const off = word('off');

const PRESET = 'Speed of the encoder: x264 and x265 `ultrafast` to `veryslow`, SVT-AV1 `0` to `12`, libvpx `0` to `8`.';
const preset = Type.String({ pattern: '^([a-z]+|\\d{1,2})$', description: PRESET });

export const RungSpecSchema = fields(
  {
    size: Type.Union([Type.Integer({ minimum: 64, maximum: 4320 }), word('source')], {
      description: "Short side in pixels, or `source`: the source's own. Nothing is ever enlarged.",
    }),
    codec: Type.Union([word('h264'), word('hevc'), word('av1'), word('vp9')], {
      description: '`h264` plays everywhere. Others are offered beside it, as rungs of their own.',
    }),
    crf: Type.Number({
      minimum: 1,
      maximum: 63,
      description: 'Constant quality, lower is better. x264 and x265 up to 51, SVT-AV1 and libvpx up to 63.',
    }),
    capKbps: Type.Integer({
      minimum: 50,
      maximum: 200_000,
      description:
        'Highest bit rate, kbit/s, over a buffer of two seconds. Half again as much above 30 frames a second.',
    }),
    preset: Type.Optional(preset),
  },
  'One size in one codec.',
);

const quality = (description: string) => Type.Integer({ minimum: 1, maximum: 100, description });
const pixels = (description: string) => Type.Integer({ minimum: 1, maximum: 16_383, description });

export const ImageSpecSchema = fields(
  {
    widths: Type.Array(pixels('Pixels.'), {
      maxItems: 16,
      uniqueItems: true,
      description:
        'Responsive widths. Nothing is enlarged: of a narrower picture, its own width takes the place of the larger ones.',
    }),
    sizes: Type.Array(
      fields(
        {
          name: Type.String({ pattern: '^[a-z][a-z0-9-]{0,31}$', description: 'File name without extension.' }),
          width: pixels('Pixels.'),
          height: pixels('Pixels.'),
          fit: Type.Union([word('cover'), word('contain')], {
            description: '`cover` fills and crops, `contain` fits and pads.',
          }),
          position: Type.Optional(
            Type.Union([word('centre'), word('smart'), word('focal')], {
              description:
                'What a crop keeps. `focal`: around the point that the uploader names (`focal-point: 0.3,0.6`), the middle without one.',
            }),
          ),
        },
        'One fixed size.',
      ),
      { maxItems: 16, description: 'Fixed sizes, beside `thumb.jpg` of 100x100 pixels, which is always made.' },
    ),
    formats: Type.Array(Type.Union([word('avif'), word('webp'), word('jpeg')]), {
      minItems: 1,
      maxItems: 3,
      uniqueItems: true,
      description: 'Formats of every size. `jpeg` becomes PNG for pictures with transparency.',
    }),
    quality: fields(
      { avif: quality('AVIF.'), webp: quality('WebP.'), jpeg: quality('JPEG.') },
      'Of the encoders, where one number does not mean the same for all.',
    ),
    maxKiB: Type.Union([off, Type.Integer({ minimum: 1, maximum: 100_000 })], {
      description: 'Budget of every variant in KiB: quality goes down until it fits. Or `off`.',
    }),
    animation: fields(
      {
        webp: Type.Boolean({ description: 'Animations as animated WebP beside the still variants.' }),
        loops: Type.Array(Type.Union([word('mp4'), word('webm')]), {
          maxItems: 2,
          uniqueItems: true,
          description: 'Animations as silent videos.',
        }),
        maxWidth: pixels('Widest animation, pixels.'),
      },
      'What moves.',
    ),
    colours: Type.Union([word('srgb'), word('p3')], {
      description: '`p3` keeps wide colours of sources that have them, with their profile in the file.',
    }),
    keepCopyright: Type.Boolean({ description: 'Keep the copyright line; all other metadata is dropped either way.' }),
  },
  'Still images and animations.',
);

export const ProfileSchema = fields(
  {
    description: Type.String({ description: 'What it is for, one sentence.' }),
    rungs: Type.Array(RungSpecSchema, {
      maxItems: 16,
      description: 'Sizes to make. Empty: only the sound is made.',
    }),
    presets: fields(
      { h264: preset, hevc: preset, av1: preset, vp9: preset },
      'Speed of each encoder, where a rung names none of its own.',
    ),
    maxFps: Type.Integer({ minimum: 1, maximum: 120, description: 'Highest frame rate.' }),
    gopSeconds: Type.Union([word(1), word(2), word(4)], {
      description: 'Seconds from key frame to key frame. Segments are 4 s.',
    }),
    chunkSegments: Type.Integer({
      minimum: 0,
      maximum: 900,
      description: 'Segments that one step encodes. The first steps are shorter. 0: the whole video is one step.',
    }),
    passthrough: Type.Boolean({
      description: 'Take an H.264 source that players can take as it is for the top rung, without encoding it again.',
    }),
    contentAware: Type.Boolean({
      description: 'Look at samples of the picture first, and give quiet content fewer bits than busy content.',
    }),
    minSsim: Type.Number({
      minimum: 0,
      maximum: 1,
      description:
        'A rung that resembles its source less than this (SSIM of samples, reduced to 90 lines) is refused. 0: not measured.',
    }),
    audio: fields(
      {
        bitrateKbps: Type.Integer({ minimum: 16, maximum: 512, description: 'AAC, of a stereo track. Mono has half.' }),
        surround: Type.Boolean({ description: 'Offer 5.1 beside stereo, where the source has six channels or more.' }),
        surroundKbps: Type.Integer({ minimum: 64, maximum: 1024, description: 'AAC, of a 5.1 track.' }),
        loudness: Type.Union(
          [
            off,
            fields(
              {
                target: Type.Number({ minimum: -40, maximum: -5, description: 'LUFS.' }),
                truePeak: Type.Number({ minimum: -9, maximum: 0, description: 'Highest true peak, dBTP.' }),
              },
              'Level after one linear gain.',
            ),
          ],
          { description: 'EBU R 128 loudness by one gain for the whole track, or `off`.' },
        ),
      },
      'Sound.',
    ),
    storyboard: Type.Union(
      [
        off,
        fields(
          {
            format: Type.Union([word('jpeg'), word('webp')], { description: 'Of the sheets.' }),
            tileWidth: Type.Integer({ minimum: 32, maximum: 640, description: 'Pixels of the longer side of a tile.' }),
          },
          'Sheets of small pictures.',
        ),
      ],
      { description: 'Small pictures for the seek bar of players, or `off`.' },
    ),
    poster: Type.Union(
      [
        word('auto'),
        fields({ atSeconds: Type.Number({ minimum: 0, description: 'Time of the frame.' }) }, 'A frame by its time.'),
      ],
      { description: '`auto` chooses a sharp frame that is not black, `atSeconds` names one.' },
    ),
    watermark: Type.Union(
      [
        off,
        fields(
          {
            file: Type.String({
              pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$',
              description: 'A PNG beside the profile.',
            }),
            corner: Type.Union([word('top-left'), word('top-right'), word('bottom-left'), word('bottom-right')], {
              description: 'Where it is.',
            }),
            width: Type.Number({ minimum: 0.01, maximum: 1, description: "Share of the picture's width." }),
            margin: Type.Number({ minimum: 0, maximum: 0.5, description: "Share of the picture's width." }),
            opacity: Type.Number({ minimum: 0.01, maximum: 1, description: '1 covers what is below it.' }),
          },
          'A picture over the picture.',
        ),
      ],
      { description: 'A picture laid over every rung, or `off`.' },
    ),
    image: ImageSpecSchema,
    targets: Type.Optional(
      Type.Array(
        fields(
          {
            name: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,31}$', description: 'Of `publishers.targets`.' }),
            required: Type.Boolean({ description: 'A deadline is met only when it has answered.' }),
          },
          'A target.',
        ),
        { maxItems: 16, description: 'Where what is published is delivered to.' },
      ),
    ),
  },
  'What is made of an upload.',
);

/** One rung as a profile asks for it. */
export type RungSpec = Static<typeof RungSpecSchema>;
/** What is made of an image. */
export type ImageSpec = Static<typeof ImageSpecSchema>;
/** Complete: what `extends` named is merged in. */
export type Profile = Static<typeof ProfileSchema>;
