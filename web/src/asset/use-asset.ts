/** One asset, as it is at this moment. */
import { useEffect, useState } from 'preact/hooks';
import { api, isFinal, Refusal, type Asset, type Progress, type Work } from '../lib/api.js';
import { follow } from '../lib/live.js';
import { heard, listing, touched } from '../library/model.js';

export interface Known {
  readonly asset?: Asset | undefined;
  readonly progress?: Progress | undefined;
  readonly refusal?: Refusal | undefined;
  /** Asks again, and says what was asked. */
  readonly refresh: () => Promise<void>;
}

export function useAsset(id: string): Known {
  const [asset, setAsset] = useState<Asset | undefined>(() => listing.value.items.find((item) => item.id === id));
  const [progress, setProgress] = useState<Progress>();
  const [refusal, setRefusal] = useState<Refusal>();
  const refresh = async (): Promise<void> => {
    try {
      const fresh = await api.get(id);
      setAsset(fresh);
      setProgress(fresh.progress);
      setRefusal(undefined);
      heard(fresh);
    } catch (error) {
      if (error instanceof Refusal) setRefusal(error);
      else throw error;
    }
  };
  useEffect(() => void refresh(), [id]);
  const isAtWork = asset !== undefined && !isFinal(asset.state);
  useEffect(() => {
    if (!isAtWork) return undefined;
    const end = follow(`/v1/assets/${id}/events`, ({ event, data }) => {
      if (event === 'progress') setProgress((JSON.parse(data) as { progress?: Progress }).progress);
      // History comes with the whole.
      else void refresh();
      if (event === 'end') end();
    });
    return end;
  }, [id, isAtWork]);
  // Of what rests, one hears when somebody touches it.
  const updatedAt = asset?.updatedAt;
  useEffect(() => {
    if (isAtWork || updatedAt === undefined) return undefined;
    return touched.subscribe(() => {
      const { asset: one } = touched.value;
      const isNews = !one || (one.id === id && Date.parse(one.updatedAt) > Date.parse(updatedAt));
      if (isNews) void refresh();
    });
  }, [id, isAtWork, updatedAt]);
  return { asset, progress: asset && isFinal(asset.state) ? undefined : progress, refusal, refresh };
}

/** Milliseconds. */
const WORK_MS = 1_000;
/** The address of the original is good for some minutes. Milliseconds. */
const ADDRESS_MS = 4 * 60_000;

/** What was made so far; looked up again as long as it changes. */
export function useWork(asset: Asset | undefined): Work | undefined {
  const [work, setWork] = useState<Work>();
  const id = asset?.id;
  const state = asset?.state;
  const updatedAt = asset?.updatedAt;
  useEffect(() => {
    if (!id || !state || state === 'deleted') return undefined;
    let over = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      const found = await api.work(id).catch(() => undefined);
      if (over) return;
      if (found) setWork(found);
      timer = setTimeout(() => void look(), isFinal(state) ? ADDRESS_MS : WORK_MS);
    };
    void look();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [id, state, updatedAt]);
  return work;
}
