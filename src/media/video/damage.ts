/** What ffmpeg's warnings tell about a decode that went through. */

/** ffmpeg itself, of each frame that its decoder marked or refused. */
const MARKED = /corrupt decoded frame in stream|Error while decoding stream/;
/**
 * The decoders, of each slice with an error in it. With several threads H.264 hands a frame on before it
 * has marked it: then this is the only word.
 */
const NOTICED = /error while decoding MB \d|Error at MB: \d|ac-tex damaged at \d|\berror y=\d+ x=\d/;
const REPEATED = /Last message repeated (\d+) times/;

/** Frames that are damaged. A lower bound: only the tail of the warnings is kept. */
export function damagedFrames(stderr: string): number {
  const lines = stderr.split(/[\r\n]+/);
  return count(lines, MARKED) || count(lines, NOTICED);
}

function count(lines: readonly string[], damage: RegExp): number {
  let sum = 0;
  let afterDamage = false;
  for (const line of lines) {
    const repeated = REPEATED.exec(line)?.[1];
    if (repeated !== undefined) {
      if (afterDamage) sum += Number(repeated);
      continue;
    }
    afterDamage = damage.test(line);
    if (afterDamage) sum += 1;
  }
  return sum;
}
