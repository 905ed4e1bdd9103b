/**
 * One video, one player, and a record of all that went wrong. `window.player` is what the test drives; both
 * players are told apart here alone.
 */
import Hls from '/hls.mjs';

const video = document.getElementById('video');
const BITS = 12;
const log = [];
/** What the viewer does just now, and may wait for: nothing, a seek, a choice. */
let during = null;
const note = (kind, detail) =>
  log.push({ at: Math.round(performance.now()), time: video.currentTime, kind, detail, during });

const hold = document.createElement('canvas');
hold.width = BITS * 8;
hold.height = 8;
const context = hold.getContext('2d', { willReadFrequently: true });

/** The number in the blocks at the top of the picture. */
function readFrame() {
  context.drawImage(video, 0, 0, video.videoWidth, video.videoHeight / 6, 0, 0, hold.width, hold.height);
  const { data } = context.getImageData(0, 4, hold.width, 1);
  let number = 0;
  for (let bit = 0; bit < BITS; bit += 1) if (data[(bit * 8 + 4) * 4] > 128) number += 2 ** bit;
  return number;
}

/**
 * Frames as they are shown: number burned in, and time by the player's clock. `late`: so long ago it was shown when
 * its picture was read, in milliseconds; on a busy machine that is the picture of a later one.
 */
const shown = [];
function watchFrames() {
  video.requestVideoFrameCallback((_now, { mediaTime, presentationTime }) => {
    const frame = readFrame();
    shown.push({ frame, mediaTime, late: performance.now() - presentationTime, height: video.videoHeight });
    watchFrames();
  });
}
watchFrames();

let waitingSince;
video.addEventListener('waiting', () => {
  if (!during && !video.ended) waitingSince = performance.now();
});
video.addEventListener('playing', () => {
  if (waitingSince !== undefined) note('waited', Math.round(performance.now() - waitingSince));
  waitingSince = undefined;
});
video.addEventListener('error', () => note('error', video.error?.message));

const until = async (what, holds, ms) => {
  const end = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > end)
      throw new Error(`not within ${ms} ms: ${what} at ${video.currentTime}; ${JSON.stringify(log.slice(-10))}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

async function openHls(url) {
  const hls = new Hls({ enableWorker: true });
  hls.on(Hls.Events.ERROR, (_event, { type, details, fatal, response, frag }) =>
    note(details, { type, fatal, code: response?.code, url: frag?.relurl, level: frag?.level }),
  );
  hls.on(Hls.Events.LEVEL_SWITCHED, (_event, { level }) => note('switched', hls.levels[level].height));
  const parsed = new Promise((resolve) => hls.once(Hls.Events.MANIFEST_PARSED, resolve));
  hls.loadSource(url);
  hls.attachMedia(video);
  await parsed;
  return {
    heights: () => hls.levels.map(({ height }) => height),
    pick: (height) =>
      (hls.nextLevel = height === undefined ? -1 : hls.levels.findIndex((level) => level.height === height)),
    sounds: () => hls.audioTracks.map(({ lang }) => lang),
    pickSound: (lang) => (hls.audioTrack = hls.audioTracks.findIndex((track) => track.lang === lang)),
    sound: () => hls.audioTracks[hls.audioTrack]?.lang,
    texts: () => hls.subtitleTracks.map(({ lang }) => lang),
    pickText: (lang) => {
      hls.subtitleDisplay = true;
      hls.subtitleTrack = hls.subtitleTracks.findIndex((track) => track.lang === lang);
    },
    close: () => hls.destroy(),
  };
}

async function openShaka(url) {
  const { shaka } = window;
  shaka.polyfill.installAll();
  const shakaPlayer = new shaka.Player();
  await shakaPlayer.attach(video);
  shakaPlayer.addEventListener('error', ({ detail }) =>
    note('error', { code: detail.code, severity: detail.severity, data: String(detail.data) }),
  );
  shakaPlayer.addEventListener('stalldetected', () => note('stalldetected'));
  shakaPlayer.addEventListener('gapjumped', () => note('gapjumped'));
  shakaPlayer.addEventListener('adaptation', ({ newTrack }) => note('switched', newTrack.height));
  shakaPlayer.addEventListener('variantchanged', ({ newTrack }) => note('switched', newTrack.height));
  shakaPlayer
    .getNetworkingEngine()
    .addEventListener('retry', ({ error }) =>
      note('retry', { code: error?.code, data: String(error?.data?.slice?.(0, 2)) }),
    );
  await shakaPlayer.load(url);
  const variants = () => shakaPlayer.getVariantTracks();
  const texts = () => shakaPlayer.getTextTracks();
  return {
    heights: () => [...new Set(variants().map(({ height }) => height))],
    pick: (height) => {
      shakaPlayer.configure('abr.enabled', height === undefined);
      const active = variants().find((track) => track.active);
      const same = (track) => track.height === height && track.language === active?.language;
      if (height !== undefined) shakaPlayer.selectVariantTrack(variants().find(same), true, 2);
    },
    sounds: () => [...new Set(variants().map(({ language }) => language))],
    pickSound: (lang) =>
      shakaPlayer.selectAudioTrack(shakaPlayer.getAudioTracks().find((track) => track.language === lang)),
    sound: () => variants().find((track) => track.active)?.language,
    texts: () => texts().map(({ language }) => language),
    pickText: (lang) => shakaPlayer.selectTextTrack(texts().find((track) => track.language === lang)),
    close: () => shakaPlayer.destroy(),
  };
}

let open;
const at = (time) => video.currentTime >= time || video.ended;

window.player = {
  async open(kind, url) {
    log.length = 0;
    shown.length = 0;
    const started = performance.now();
    during = 'start';
    open = await (kind === 'hls.js' ? openHls : openShaka)(url);
    video.play().catch((error) => note('play', String(error)));
    await until('the first frame', () => shown.length > 0, 30_000);
    during = null;
    return { firstFrameMs: Math.round(performance.now() - started), heights: open.heights(), duration: video.duration };
  },
  /** Milliseconds until a frame of there is shown. */
  async seek(time) {
    const started = performance.now();
    during = 'seek';
    shown.length = 0;
    video.currentTime = time;
    // Frames of before may still come.
    const there = () => shown.find(({ mediaTime }) => Math.abs(mediaTime - time) < 1);
    await until(`a frame of ${time} s`, there, 30_000);
    during = null;
    return { ms: Math.round(performance.now() - started), ...there() };
  },
  async playUntil(time, ms) {
    await until(`playing to ${time} s`, () => at(time), ms);
  },
  async playToEnd(ms) {
    await until('the end', () => video.ended, ms);
    return video.currentTime;
  },
  /** Asks for one rung, or lets the player choose, and waits until its picture is on. */
  async pick(height, ms) {
    during = 'choice';
    open.pick(height);
    if (height !== undefined) await until(`a picture of ${height}`, () => video.videoHeight === height, ms);
    during = null;
  },
  sounds: () => open.sounds(),
  async pickSound(lang) {
    during = 'choice';
    await open.pickSound(lang);
    await until(`the sound ${lang}`, () => open.sound() === lang, 30_000);
    const from = video.currentTime;
    await until(`playing with the sound ${lang}`, () => at(from + 0.5), 30_000);
    during = null;
  },
  texts: () => open.texts(),
  /** Shows subtitles, and tells the cue that is on at a time. */
  async pickText(lang) {
    await open.pickText(lang);
    const cues = () => [...video.textTracks].flatMap((track) => [...(track.activeCues ?? [])].map(({ text }) => text));
    await until('a cue', () => cues().length > 0, 20_000);
    return { text: cues()[0], time: video.currentTime };
  },
  rate: (rate) => (video.playbackRate = rate),
  /** What was shown since the last call. */
  takeShown: () => shown.splice(0),
  log: () => log,
  async close() {
    await open?.close();
    open = undefined;
  },
};
