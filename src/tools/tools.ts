/** What activities may ask of decoders and encoders. Implementation: `index.ts` and its neighbours. */
import type { ImageTraits, ImageVariant } from '../contracts/image.js';

/** Bounds of one child. The process is killed when it passes one. */
export interface ToolLimits {
  readonly memoryMiB: number;
  readonly cpuSeconds: number;
  /** Largest single file that it may write. */
  readonly fileMiB: number;
  readonly wallSeconds: number;
}

export interface ToolRun {
  readonly args: readonly string[];
  /** The only folder that the child can read and write; also its working directory. Names in `args` are relative to it. */
  readonly scratch: string;
  /** Files in `scratch` that the child reads and can not change: shared with other jobs. Where the host can't promise that, it is best effort. */
  readonly readOnlyFiles?: readonly string[] | undefined;
  readonly limits: ToolLimits;
  /** What `limits.memoryMiB` bounds, as in `ChildSpec`. Default `address-space`. */
  readonly memory?: 'address-space' | 'data' | undefined;
  /** Stops the child's whole process group: TERM, then KILL after 2 s. Rejects with the signal's reason itself. */
  readonly signal?: AbortSignal | undefined;
  /** 0-19. Bulk work runs at a lower priority of the operating system than urgent work. */
  readonly niceness?: number | undefined;
  /** Takes standard output line by line, without a bound; `stdout` of the result is then empty. Not for ffmpeg. */
  readonly onLine?: ((line: string) => void) | undefined;
}

export interface ToolResult {
  /** At most 8 MiB: a tool that writes more is stopped, DECODER_LIMIT. */
  readonly stdout: string;
  /** The last 16 KiB. */
  readonly stderr: string;
  readonly wallMs: number;
  /** Sampled peak of the resident memory of the child and its descendants. */
  readonly peakMemoryKiB: number;
}

/** One block of ffmpeg's `-progress`. */
export interface FfmpegProgress {
  readonly frame: number;
  /** Media seconds written. */
  readonly outTime: number;
  /** Media seconds per wall second. */
  readonly speed: number;
}

export interface FfmpegRun extends ToolRun {
  readonly onProgress?: ((progress: FfmpegProgress) => void) | undefined;
  /** No progress for so long: killed, TOOL_STALLED. */
  readonly stallSeconds: number;
  /** Is handed the means to make ffmpeg stand still for a while, which is not taken for a stall. */
  readonly onStart?: ((brake: Brake) => void) | undefined;
}

export interface Brake {
  pause(): void;
  /** Does no harm when it goes, or has ended. */
  resume(): void;
}

/** What an image's header says, before a pixel is decoded. */
export interface ImageHeader {
  readonly format: string;
  /** As stored, before orientation. */
  readonly width: number;
  readonly height: number;
  readonly pages: number;
  /** EXIF orientation, 1-8. */
  readonly orientation: number;
  readonly hasAlpha: boolean;
  /** Its colour profile is one of RGB and reaches beyond sRGB. */
  readonly isWide?: boolean | undefined;
  /** EXIF Copyright, at most 200 characters, printable. */
  readonly copyright?: string | undefined;
}

/** How a picture looks, measured on its brightness. */
export interface PictureLooks {
  /** Mean, 0-255. */
  readonly brightness: number;
  /** Standard deviation, 0-127.5. */
  readonly contrast: number;
  /** Bits, 0-8: how many shades it uses, and how evenly. */
  readonly entropy: number;
  /** Standard deviation of its Laplacian: 0 where nothing has an edge. */
  readonly sharpness: number;
}

/** Small pictures side by side, row by row. */
export interface SheetSpec {
  /** File name within the slot's folder. */
  readonly name: string;
  readonly format: 'jpeg' | 'webp';
  /** 1-100. */
  readonly quality: number;
  readonly columns: number;
  readonly tileWidth: number;
  readonly tileHeight: number;
  /** Files within the slot's folder; one may stand in several places. What is left of the last row is black. */
  readonly tiles: readonly string[];
}

/** The frames of an animation, one below the other. */
export interface StripSpec {
  /** File name within the slot's folder. */
  readonly name: string;
  /** Pixels of one frame. */
  readonly width: number;
  readonly height: number;
}

export interface RenderedImage {
  readonly name: string;
  /** File name within the slot's folder. */
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
}

export interface RenderOptions {
  /** Told of each file once, as soon as it is written whole; what it throws is thrown by the render. */
  readonly onFile?: ((image: RenderedImage) => void) | undefined;
}

/** A place in the pool of image processes: a folder of its own and a child that works in it. */
export interface ImageSlot {
  readonly dir: string;
  /** Header only. UNSUPPORTED_FORMAT when sharp does not know the format, DAMAGED_FILE when it can't be read. */
  inspect(file: string): Promise<ImageHeader>;
  /** Decodes once and writes every variant into the slot's folder. */
  render(file: string, variants: readonly ImageVariant[], options?: RenderOptions): Promise<RenderedImage[]>;
  /** The same, and what the picture looks like, from the same decode. */
  renderWithTraits(
    file: string,
    variants: readonly ImageVariant[],
    options?: RenderOptions,
  ): Promise<{ readonly images: readonly RenderedImage[]; readonly traits: ImageTraits }>;
  /** Decodes it: whether nothing of it is transparent. */
  isOpaque(file: string): Promise<boolean>;
  /** Decodes it, smaller. */
  look(file: string): Promise<PictureLooks>;
  /** Writes one sheet into the slot's folder. */
  sheet(spec: SheetSpec): Promise<RenderedImage>;
  /** Writes all frames of an animation as one PNG, on white. @returns how long each is shown, milliseconds, as the file has it */
  strip(file: string, spec: StripSpec): Promise<readonly number[]>;
}

/** Which protections decoders run with on this host; logged at start and shown by `doctor`. */
export interface Protections {
  readonly fileSystem: boolean;
  readonly network: boolean;
  readonly privileges: boolean;
  readonly resources: boolean;
  readonly diesWithParent: boolean;
  /** In words: `bubblewrap`, `bubblewrap without /proc`, `unshare + setpriv`, `prlimit only`, `nothing`. */
  readonly by: string;
}

export interface SlotOptions {
  readonly signal?: AbortSignal | undefined;
  /**
   * What the job's source is. libjpeg-turbo shows nothing that it has not written, whatever is wrong with the file: its
   * memory need not be filled with zeros, which takes 8 % of all work on a photograph.
   */
  readonly opens?: 'jpeg' | 'any' | undefined;
}

/**
 * Errors of every run: a non-zero exit is ToolError (exit code, signal, stderr) for the caller to
 * judge; out of disk is NO_SPACE; passing a limit is DECODER_TIMEOUT or DECODER_LIMIT; death by
 * another signal is DECODER_CRASHED; cancellation is the abort signal's own reason.
 */
export interface Tools {
  readonly protections: Protections;
  ffmpeg(run: FfmpegRun): Promise<ToolResult>;
  ffprobe(run: ToolRun): Promise<ToolResult>;
  /** ImageMagick's `convert` under our own policy. */
  magick(run: ToolRun): Promise<ToolResult>;
  /** libheif's own converter; undefined where it is not installed: ImageMagick does. */
  readonly heif?: ((run: ToolRun) => Promise<ToolResult>) | undefined;
  /** Reads PDF. UNSUPPORTED_FORMAT where it is not installed. */
  poppler(program: 'pdfinfo' | 'pdftoppm', run: ToolRun): Promise<ToolResult>;
  /** Waits for a free slot; the slot's folder is emptied afterwards. A child that crashed is replaced. */
  withImageSlot<T>(use: (slot: ImageSlot) => Promise<T>, options?: SlotOptions): Promise<T>;
  close(): Promise<void>;
}
