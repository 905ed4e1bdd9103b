/** What the tests ask the parsers of other people's players; neither comes with types. */
declare module 'm3u8-parser' {
  interface Segment {
    readonly uri: string;
    readonly duration: number;
    readonly map: { readonly uri: string };
    readonly byterange?: { readonly length: number; readonly offset: number };
  }
  interface Rendition {
    readonly uri: string;
    readonly language: string;
    readonly default: boolean;
    readonly autoselect: boolean;
    readonly forced?: boolean;
  }
  type Groups = Readonly<Record<string, Readonly<Record<string, Rendition>>>>;
  interface Playlist {
    readonly uri: string;
    readonly attributes: Readonly<Record<string, unknown>>;
  }
  interface Manifest {
    readonly playlists: readonly Playlist[];
    readonly iFramePlaylists: readonly Playlist[];
    readonly mediaGroups: { readonly AUDIO: Groups; readonly SUBTITLES: Groups };
    readonly segments: readonly Segment[];
    readonly targetDuration: number;
    readonly endList: boolean;
    readonly playlistType: string;
    readonly iFramesOnly: boolean;
  }
  export class Parser {
    readonly manifest: Manifest;
    push(text: string): void;
    end(): void;
  }
}

declare module 'mpd-parser' {
  interface Segment {
    readonly resolvedUri: string;
    readonly duration: number;
    readonly map: { readonly resolvedUri: string };
  }
  interface Playlist {
    readonly attributes: Readonly<Record<string, unknown>>;
    readonly segments: readonly Segment[];
    readonly resolvedUri: string;
  }
  interface Rendition {
    readonly language: string;
    readonly playlists: readonly Playlist[];
  }
  type Group = Readonly<Record<string, Rendition>>;
  export function parse(
    text: string,
    options: { readonly manifestUri: string },
  ): {
    readonly duration: number;
    readonly playlists: readonly Playlist[];
    readonly mediaGroups: { readonly AUDIO: { readonly audio: Group }; readonly SUBTITLES: { readonly subs: Group } };
  };
}
