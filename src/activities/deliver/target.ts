/** What every kind of target offers: publishers that are started, serve, and end. */
import type { AssetDocument } from '../../contracts/assets.js';
import type { PoolRules } from '../../contracts/publisher-pool.js';
import type { TargetKind } from '../../contracts/targets.js';

/** What is delivered: of a published generation, as it is now. */
export interface Parcel {
  readonly assetId: string;
  readonly generation: number;
  readonly tenant: string;
  /** The same for every attempt at the same publication; another one after an upgrade or a repair. */
  readonly id: string;
  readonly document: AssetDocument;
  /** Where its outputs are in the media bucket. Ends with a slash. */
  readonly prefix: string;
}

/** Errors: `Refused` where the target is at fault; ours as they are. */
export interface Publisher {
  publish(parcel: Parcel, signal: AbortSignal): Promise<void>;
}

export interface Target {
  readonly kind: TargetKind;
  readonly rules: PoolRules;
  /** Resolves when the publisher is ready to serve. */
  start(signal: AbortSignal): Promise<Publisher>;
}

/** The target did not do what it should. The message is public, and names nothing of our network. */
export class Refused extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'Refused';
  }
}
