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

export const deletionIdOf = (assetId: string): string => `delete/${assetId}`;
