import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { ConfigError, loadProfiles } from '../../src/config/index.js';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-profiles-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const put = (name: string, text: string): Promise<void> => writeFile(join(dir, name), text);
const mistakes = (): readonly string[] => {
  try {
    loadProfiles(dir);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).mistakes.map((mistake) => mistake.replaceAll(`${dir}/`, ''));
  }
  return [];
};

describe('shipped profiles', () => {
  const profiles = loadProfiles('');

  test('are these, all valid', () => {
    expect(profiles.names).toEqual(['archive', 'audio', 'default', 'fast', 'quality']);
  });

  test('an unknown one is a permanent error that helps', () => {
    const unknown = (name: string): unknown => expect.objectContaining({ code: 'PROFILE_UNKNOWN', message: name });
    expect(() => profiles.get('defualt')).toThrow(unknown('There is no such profile. Did you mean default?'));
    expect(() => profiles.get('../default')).toThrow(expect.objectContaining({ code: 'PROFILE_UNKNOWN' }));
    expect(() => profiles.get('constructor')).toThrow(unknown('There is no such profile.'));
  });
});

describe('own profiles', () => {
  test('extend another one: groups are merged, lists replaced', async () => {
    await put('house.yaml', 'extends: quality\nmaxFps: 30\naudio: { bitrateKbps: 96 }\nrungs: []\nstoryboard: off\n');
    const profiles = loadProfiles(dir);
    const quality = profiles.get('quality');
    expect(profiles.get('house')).toEqual({
      ...quality,
      maxFps: 30,
      audio: { ...quality.audio, bitrateKbps: 96 },
      rungs: [],
      storyboard: 'off',
    });
  });

  test('replace a shipped one of the same name, which they may extend; what extends it follows', async () => {
    await put('default.yaml', 'extends: default\nmaxFps: 25\n');
    const profiles = loadProfiles(dir);
    expect(profiles.get('default')).toEqual({ ...loadProfiles('').get('default'), maxFps: 25 });
    expect(profiles.get('quality').maxFps).toBe(25);
  });

  test('have their watermark beside them', async () => {
    const mark = 'watermark: { file: logo.png, corner: top-left, width: 0.1, margin: 0.02, opacity: 0.8 }';
    await put('house.yaml', `extends: default\n${mark}\n`);
    expect(mistakes()).toEqual(['Profile house: there is no file logo.png beside the profiles']);
    await put('logo.png', '');
    const profiles = loadProfiles(dir);
    expect(profiles.get('house').watermark).toMatchObject({ file: 'logo.png' });
    expect(profiles.file('logo.png')).toBe(join(dir, 'logo.png'));
    expect(() => profiles.file('../../etc/passwd')).toThrow('There is no file');
  });

  test.each([
    ['not YAML', 'a: [', /^Can not read a\.yaml: /],
    ['not fields', '- 1', /^a\.yaml: expected the fields of a profile$/],
    ['unknown field', 'extends: default\nmaxfps: 30', 'a.yaml: unknown field maxfps, did you mean maxFps?'],
    ['unknown nested field', 'extends: default\naudio: { bitrate: 30 }', 'a.yaml: unknown field audio.bitrate'],
    [
      'wrong type',
      'extends: default\nmaxFps: fast',
      'a.yaml: expected an integer from 1 to 120 for maxFps but received "fast"',
    ],
    [
      'wrong word',
      'extends: default\nstoryboard: none',
      'a.yaml: expected off or fields for storyboard but received "none"',
    ],
    [
      'wrong rung',
      'extends: default\nrungs: [{ size: 10, codec: h265, crf: 20, capKbps: 1000 }]',
      [
        'a.yaml: expected an integer from 64 to 4320 or source for rungs[0].size but received 10',
        'a.yaml: expected h264 or hevc or av1 or vp9 for rungs[0].codec but received "h265"',
      ],
    ],
    ['incomplete rung', 'extends: default\nrungs: [{ size: 360 }]', /rungs\[0\]\.codec is missing$/],
    [
      'wrong formats',
      'extends: default\nimage: { formats: [], widths: [320, 320] }',
      [
        'a.yaml: expected a list of at most 16, each once for image.widths but received [320,320]',
        'a.yaml: expected a list of 1 to 3, each once for image.formats but received []',
      ],
    ],
    [
      'names of pictures that are taken',
      'extends: default\nimage: { sizes: [&a { name: card, width: 1, height: 1, fit: cover }, *a, { name: w320, width: 9, height: 9, fit: contain }] }',
      [
        'a.yaml: image.sizes[1].name: there is another picture called card',
        'a.yaml: image.sizes[2].name: there is another picture called w320',
      ],
    ],
    ['extends nothing known', 'extends: defaults', 'a.yaml: extends defaults, which does not exist'],
    ['extends itself', 'extends: a', 'a.yaml: extends a, which comes back to itself'],
    ['extends no name', 'extends: [default]', 'a.yaml: extends names one profile'],
    ['incomplete', 'description: x', /^a\.yaml: rungs is missing$/],
  ])('%s: a clear mistake', async (_, text, expected) => {
    await put('a.yaml', text);
    const found = mistakes();
    if (Array.isArray(expected)) expect(found).toEqual(expected);
    else expect(found[0]).toEqual(typeof expected === 'string' ? expected : expect.stringMatching(expected));
  });

  test('a folder that is not there', () => {
    expect(() => loadProfiles(join(dir, 'nowhere'))).toThrow('profiles.dir (PROFILES_DIR) names no folder');
  });
});
