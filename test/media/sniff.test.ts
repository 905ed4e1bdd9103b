import { describe, expect, test } from '@jest/globals';

import { MediaError } from '../../src/contracts/errors.js';
import { sniff } from '../../src/media/sniff.js';

const outcome = async (bytes: Buffer): Promise<string> => {
  try {
    const { kind, mime } = await sniff(bytes);
    return `${kind} ${mime}`;
  } catch (error) {
    if (!MediaError.is(error)) throw error;
    return `${error.code}: ${error.message.replace(/^.*processed\. /, '')}`;
  }
};

const hex = (digits: string): Buffer => Buffer.concat([Buffer.from(digits.replace(/ /g, ''), 'hex'), Buffer.alloc(64)]);
const utf16 = (text: string): Buffer => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]);

describe('the first bytes decide', () => {
  test.each([
    ['an MP4', hex('00000018 66747970 6d703432 00000000'), 'media video/mp4'],
    ['a Matroska file', hex('1a45dfa3 93 42828 8 6d6174726f736b61'.replace(/ /g, '')), 'media video/matroska'],
    ['an MP3', hex('fffb9064'), 'media audio/mpeg'],
    ['an MP3 whose first bytes look like a UTF-16 mark', Buffer.from('fffe9064'.repeat(40), 'hex'), 'media audio/mpeg'],
    ['a FLAC', hex('664c6143'), 'media audio/flac'],
    ['a JPEG', hex('ffd8ffe0'), 'image image/jpeg'],
    ['a GIF', hex('474946383961'), 'image image/gif'],
    ['a TIFF whose directory lies beyond the head', hex('49492a00 00fe0000'), 'image image/tiff'],
    ['a big-endian TIFF', hex('4d4d002a 0000fe00'), 'image image/tiff'],
    ['an SVG', Buffer.from('<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>'), 'image image/svg+xml'],
    ['unknown binary, for the demuxers to judge', hex('00010203 04050607'), 'media undefined'],
    ['nothing', Buffer.alloc(0), 'OBJECT_EMPTY: The uploaded file is empty.'],
    ['a line break', Buffer.from('\n'), 'UNSUPPORTED_TYPE: It is blank.'],
    ['JSON', Buffer.from('{"a": 1}'), 'UNSUPPORTED_TYPE: It is JSON text.'],
    ['a playlist', Buffer.from('#EXTM3U\nhttp://10.0.0.1/secret.ts\n'), 'UNSUPPORTED_TYPE: It is a playlist.'],
    ['a concat script', Buffer.from('ffconcat version 1.0\nfile /etc/passwd\n'), 'UNSUPPORTED_TYPE: It is text.'],
    ['UTF-16 text', utf16('A note of some length, in two bytes each.'), 'UNSUPPORTED_TYPE: It is text.'],
    ['a web page', Buffer.from('<!DOCTYPE html><p>hi'), 'UNSUPPORTED_TYPE: It is an HTML page.'],
    ['text cut inside a character', Buffer.from('h\u00e4').subarray(0, 2), 'UNSUPPORTED_TYPE: It is text.'],
    ['a PDF', hex('255044462d312e37 0a00'), 'image application/pdf'],
    ['a PDF that is all text', Buffer.from('%PDF-1.4\n1 0 obj\n'), 'image application/pdf'],
    ['an OpenEXR', hex('762f3101 02000000'), 'image image/x-exr'],
    ['an Olympus RAW', hex('4949524f 08000000'), 'image image/x-olympus-orf'],
    ['a Panasonic RAW', hex('49495500 18000000'), 'image image/x-panasonic-rw2'],
    ['a Fujifilm RAW', Buffer.from('FUJIFILMCCD-RAW 0201\0\0'), 'image image/x-fujifilm-raf'],
    [
      'a Canon RAW of the newer kind',
      hex('00000018 66747970 63727820 00000001 63727820 69736f6d'),
      'image image/x-canon-cr3',
    ],
    ['a program', hex('7f454c46 02010100'), 'UNSUPPORTED_TYPE: It is of type elf (application/x-elf).'],
  ])('%s', async (_name, bytes, expected) => {
    expect(await outcome(bytes)).toBe(expected);
  });
});
