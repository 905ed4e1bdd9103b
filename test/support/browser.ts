/** Debian's Chromium, without a window, driven from outside. */
import { chromium, type Browser } from 'playwright-core';
import { which } from '../../src/local/find.js';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Plays H.264 and AAC, which the browsers of test drivers often do not. */
export async function openBrowser(): Promise<Browser> {
  const path = NAMES.map((name) => which(name)).find((found) => found !== undefined);
  if (!path) throw new Error('no Chromium: apt-get update && apt-get install -y --no-install-recommends chromium');
  return chromium.launch({
    executablePath: path,
    headless: true,
    // Root has no sandbox in Chromium; the pages are our own. Two cores must do for the encoders, too.
    args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required', '--mute-audio', '--disable-gpu'],
  });
}
