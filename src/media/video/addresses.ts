/** Puts other addresses into playlists and manifests, as `hls.ts`, `hls-master.ts` and `dash.ts` write them. */

/** From a URI of the text, which is relative to the text's own folder, to the one that stands in its place. */
export type Address = (uri: string) => string;

/** Attributes in their order: what is within quotes is never taken for one. */
const HLS_ATTRIBUTE = /([A-Z0-9-]+)=("[^"]*"|[^",]*)/g;

/** Of any HLS playlist. @param address must not put double quotes or line feeds into it */
export function withHlsAddresses(text: string, address: Address): string {
  return text
    .split('\n')
    .map((line) => {
      if (line === '') return line;
      if (!line.startsWith('#')) return address(line);
      return line.replace(HLS_ATTRIBUTE, (pair: string, name: string, value: string) =>
        name === 'URI' ? `URI="${address(value.slice(1, -1))}"` : pair,
      );
    })
    .join('\n');
}

/** Of a storyboard: WebVTT whose cues name a part of a sheet. */
export const withSheetAddresses = (text: string, address: Address): string =>
  text.replace(/^(\S+)(#xywh=)/gm, (_, uri: string, part: string) => address(uri) + part);

/** Templates stay templates: `address` is given `$RepresentationID$` and `$Number%05d$` as they are, and keeps them. */
export function withMpdAddresses(text: string, address: Address): string {
  return withBaseUrls(text, address).replace(/<SegmentTemplate\b[^>]*>/g, (tag) =>
    tag.replace(/ (initialization|media)="([^"]*)"/g, (_, name: string, uri: string) =>
      attribute(name, address(plain(uri))),
    ),
  );
}

/**
 * Every segment has an address of its own, as signed URLs are: ISO/IEC 23009-1, 5.3.9.3, a list in the place of
 * each template.
 */
export function withMpdLists(text: string, address: Address): string {
  const total = Number(/ mediaPresentationDuration="PT([\d.]+)S"/.exec(text)?.[1] ?? 0);
  const listed = text.replace(/<AdaptationSet\b.*?<\/AdaptationSet>/gs, (set) => {
    const [template, head, timeline = ''] = SEGMENT_TEMPLATE.exec(set) ?? [];
    if (template === undefined) return set;
    const of = attributesOf(head!);
    const segments =
      timeline === '' ? Math.ceil((total * Number(of.timescale)) / Number(of.duration)) : lengthOf(timeline);
    return set.replace(template, '').replace(REPRESENTATION, (_, attributes: string, children = '') => {
      const id = attributesOf(attributes).id ?? '';
      return `<Representation${attributes}>${children}${listOf(of, timeline, id, segments, address)}</Representation>`;
    });
  });
  return withBaseUrls(listed, address);
}

const SEGMENT_TEMPLATE = /<SegmentTemplate\b([^>]*?)(?:\/>|>(.*?)<\/SegmentTemplate>)/s;
const REPRESENTATION = /<Representation\b([^>]*?)(?:\/>|>(.*?)<\/Representation>)/gs;

function listOf(of: Attributes, timeline: string, id: string, segments: number, address: Address): string {
  const { timescale = '1', duration, initialization, media = '', startNumber = '1' } = of;
  const uri = (template: string, number = 0): string =>
    escape(
      address(
        template.replaceAll('$RepresentationID$', id).replace(NUMBER, (_, width: string) => padded(number, width)),
      ),
    );
  const numbers = Array.from({ length: segments }, (_, i) => i + Number(startNumber));
  return [
    `<SegmentList${attribute('timescale', timescale)}${duration === undefined ? '' : attribute('duration', duration)}>`,
    ...(initialization === undefined ? [] : [`<Initialization sourceURL="${uri(initialization)}"/>`]),
    timeline,
    ...numbers.map((number) => `<SegmentURL media="${uri(media, number)}"/>`),
    '</SegmentList>',
  ].join('');
}

const NUMBER = /\$Number%0(\d+)d\$/;
const padded = (number: number, width: string): string => String(number).padStart(Number(width), '0');

/** Segments of a `SegmentTimeline`: `r` says how often one of them is repeated. */
const lengthOf = (timeline: string): number =>
  [...timeline.matchAll(/<S\b([^>]*)\/>/g)].reduce((sum, [, head]) => sum + 1 + Number(attributesOf(head!).r ?? 0), 0);

const withBaseUrls = (text: string, address: Address): string =>
  text.replace(/<BaseURL>([^<]*)<\/BaseURL>/g, (_, uri: string) => `<BaseURL>${escape(address(plain(uri)))}</BaseURL>`);

type Attributes = Readonly<Record<string, string | undefined>>;

const attributesOf = (head: string): Attributes =>
  Object.fromEntries([...head.matchAll(/ ([\w:]+)="([^"]*)"/g)].map(([, name, value]) => [name!, plain(value!)]));

const attribute = (name: string, value: string): string => ` ${name}="${escape(value)}"`;

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' } as const;
const escape = (text: string): string => text.replace(/[&<>"']/g, (c) => ENTITIES[c as keyof typeof ENTITIES]);
const plain = (text: string): string =>
  Object.entries(ENTITIES).reduceRight((all, [character, entity]) => all.replaceAll(entity, character), text);
