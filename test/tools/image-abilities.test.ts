import { describe, expect, test } from '@jest/globals';

import { IMAGE_FORMATS } from '../../src/media/image/formats.js';
import { imagesCheck } from '../../src/local/doctor.js';
import { abilitiesFrom, imageAbilities } from '../../src/tools/image-abilities.js';

const MAGICK = `   Format  Module    Mode  Description
-------------------------------------------------------------------------------
      BMP* BMP       rw-   Microsoft Windows bitmap image
     HEIC* HEIC      -w+   Apple High efficiency Image Format (1.15.1)
      ICO* ICON      rw+   Microsoft icon
      JP2* JP2       rw-   JPEG-2000 File Format Syntax (2.5.0)
      JPC* JP2       rw-   JPEG-2000 Code Stream Syntax (2.5.0)
      PSD* PSD       rw+   Adobe Photoshop bitmap
`;
const FFMPEG = ` VF...D apng                 APNG (Animated Portable Network Graphics) image
 VFS..D exr                  OpenEXR image
 V....D libjxl               libjxl JPEG XL (codec jpegxl)
`;

describe('what the installed programs read', () => {
  test('all of it', () => {
    const { read, missing } = abilitiesFrom({
      magick: MAGICK,
      ffmpeg: FFMPEG,
      libheif: '- libde265 = ...',
      poppler: '22.12',
    });
    expect(missing).toEqual([]);
    expect(read).toEqual(IMAGE_FORMATS.map(({ name }) => name));
  });

  test('what is missing, with the package that brings it', () => {
    const { missing } = abilitiesFrom({
      magick: MAGICK,
      ffmpeg: FFMPEG.replace('libjxl ', 'other '),
      libheif: '',
      poppler: '',
    });
    expect(missing).toEqual([
      { format: 'heic', brings: 'imagemagick' },
      { format: 'jxl', brings: 'ffmpeg' },
      { format: 'pdf', brings: 'poppler-utils' },
    ]);
    expect(imagesCheck({ read: ['jpeg'], missing })).toMatchObject({
      ...{ ok: false, needed: false, found: 'jpeg; not heic, jxl, pdf' },
      fix: 'install or renew imagemagick, ffmpeg, poppler-utils',
    });
  });

  test('nothing installed: what sharp and we read', () => {
    const { read } = abilitiesFrom({ magick: '', ffmpeg: '', libheif: '', poppler: '' });
    expect(read).toEqual(expect.arrayContaining(['jpeg', 'avif', 'svg', 'dng', 'cr3']));
    expect(read).not.toContain('psd');
  });

  test('here', async () => {
    expect((await imageAbilities()).missing).toEqual([]);
  });
});
