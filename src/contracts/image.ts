/** Images: what is made of one, and what is found out about it on the way. */

/** Which program decodes a source; `preview`: none but sharp, for a picture that the source carries inside. */
export type ImageReader = 'sharp' | 'imagemagick' | 'libheif' | 'ffmpeg' | 'poppler' | 'preview';

/** Shares of width and height, 0-1, from the top left of the picture as displayed. */
export interface FocalPoint {
  readonly x: number;
  readonly y: number;
}

export interface ImageVariant {
  /** `thumb.jpg`, `w640.webp`, `square.avif`, `animation.webp`. */
  readonly name: string;
  readonly type: 'thumbnail' | 'image' | 'poster' | 'animation';
  /** Exactly so many pixels. */
  readonly width: number;
  readonly height: number;
  /** `cover` fills and crops, `contain` fits and pads (transparent, or white where the format has no alpha), `inside` has the picture's own shape. */
  readonly fit: 'cover' | 'contain' | 'inside';
  /** What a crop keeps; absent: the middle. `smart`: where most is to be seen. */
  readonly position?: 'centre' | 'smart' | FocalPoint | undefined;
  readonly format: 'jpeg' | 'webp' | 'png' | 'avif';
  /** 1-100; of no meaning for PNG. Where `maxBytes` asks for it, the encoder goes below. */
  readonly quality: number;
  /** A budget: the best quality that fits is taken, and the lowest where none does. */
  readonly maxBytes?: number | undefined;
  /** All frames with their times; WebP only. */
  readonly animated?: true | undefined;
  /** Colours of the file, with the profile in it; absent: sRGB without one. */
  readonly colours?: 'p3' | undefined;
  /** Written into the file: the only metadata that is. */
  readonly copyright?: string | undefined;
}

/** An animation as a silent video, made on the `video` queue. */
export interface LoopPlan {
  /** `loop.mp4`: H.264; `loop.webm`: VP9. */
  readonly name: string;
  readonly format: 'mp4' | 'webm';
  /** Even numbers. */
  readonly width: number;
  readonly height: number;
}

export interface ImagePlan {
  readonly v: 2;
  /** As displayed: orientation applied. */
  readonly width: number;
  readonly height: number;
  /** Of the source, a word for people. */
  readonly format: string;
  readonly reader: ImageReader;
  readonly hasAlpha: boolean;
  /** Frames of an animation; 1 of all else. */
  readonly frames: number;
  readonly variants: readonly ImageVariant[];
  readonly loops: readonly LoopPlan[];
}

/** Computed from the upright picture's own pixels, once, beside its variants. */
export interface ImageTraits {
  /** Base64. https://evanw.github.io/thumbhash/ */
  readonly thumbHash: string;
  /** https://blurha.sh */
  readonly blurHash: string;
  /** `#rrggbb` */
  readonly dominantColour: string;
  /** `#rrggbb`, at most 6, by how much of the picture they cover. */
  readonly palette: readonly string[];
  /** 64 bits, 16 hexadecimal digits: pictures that look alike differ in few bits. */
  readonly perceptualHash: string;
}

/** What `asset.json` says of an image beside its renditions. */
export interface ImageFacts extends ImageTraits {
  /** As displayed. */
  readonly width: number;
  readonly height: number;
  readonly format: string;
  readonly frames: number;
  readonly hasAlpha: boolean;
  /** Of the uploaded bytes, hexadecimal. */
  readonly sha256: string;
  /** HTML to paste: a `<picture>` with a source per format, sizes named by their URLs. */
  readonly picture: string;
}

/** Of a variant, below its generation's prefix. */
export const imageUri = (name: string): string => `images/${name}`;
/** Keys of all variants of all images, and of posters; `*` stands for any characters. */
export const IMAGE_KEYS = `assets/*/${imageUri('*')}`;
