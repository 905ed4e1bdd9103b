/** What ffmpeg's warnings tell about a decode that went through. */

const DAMAGED = /corrupt decoded frame in stream|Error while decoding stream/;
const REPEATED = /Last message repeated (\d+) times/;

/** Frames that the decoder called damaged. A lower bound: only the tail of the warnings is kept. */
export function damagedFrames(stderr: string): number {
  let count = 0;
  let afterDamage = false;
  for (const line of stderr.split(/[\r\n]+/)) {
    const repeated = REPEATED.exec(line)?.[1];
    if (repeated !== undefined) {
      if (afterDamage) count += Number(repeated);
      continue;
    }
    afterDamage = DAMAGED.test(line);
    if (afterDamage) count += 1;
  }
  return count;
}
