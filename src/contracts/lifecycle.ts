/** What becomes of assets after they are made: steps of the workflows `deleteAsset` and `housekeeping`. */

export interface DeleteRequest {
  readonly assetId: string;
  readonly tenant: string;
}

/** Task queue `media`. */
export interface LifecycleActivities {
  /** Ends whatever still works on a deleted asset, then removes all of its objects that no other asset plays. */
  purgeAsset(assetId: string): Promise<void>;
}

/** What a step of the housekeeping did, and how often. */
export type Counts = Readonly<Record<string, number>>;

/** Task queue `media`. Each goes over everything there is; what it can't do now it does the next time. */
export interface HousekeepingActivities {
  /** What has been kept for long enough is removed. */
  applyRetention(): Promise<Counts>;
  /** Uploads that nobody will end are ended. */
  sweepUploads(): Promise<Counts>;
  /** What was lost on its way is sent again: work that no workflow does, deletions that were never carried out. */
  sweepAssets(): Promise<Counts>;
  /** Objects without rows, rows without objects. */
  sweepStore(): Promise<Counts>;
}

export const deletionIdOf = (assetId: string): string => `delete/${assetId}`;
