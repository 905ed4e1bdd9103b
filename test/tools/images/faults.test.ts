import { expect, test } from '@jest/globals';

import { faultOf } from '../../../src/tools/images/faults.js';

// As seen under RLIMIT_DATA and from damaged files, with sharp 0.35.
test.each([
  ['memory', 'VipsJpeg: Insufficient memory (case 4)'],
  ['memory', 'source: bad seek to 1027529\nheif: Invalid input: Unspecified: Memory allocation error (2.0)'],
  ['memory', 'webpsave: picture memory error\nwbuffer_write: write failed\nsystem error: Unknown error -1'],
  ['memory', 'vips_tracked: out of memory -- size == 288MB'],
  ['space', 'w320.jpg: unable to write\nsystem error: No space left on device'],
  ['pixels', 'Input image exceeds pixel limit'],
  ['unsupported', 'Input file contains unsupported image format'],
  ['unsupported', 'Input image exceeds channel limit'],
  ['damaged', 'Input file has corrupt header: gifload: no frames in GIF'],
  ['damaged', 'VipsJpeg: premature end of JPEG image'],
  ['damaged', 'source: bad seek to 718130'],
])('%s: %j', (fault, message) => {
  expect(faultOf(message)).toBe(fault);
});
