/** What is measured of the machines that encode, for projections. */

/** What the encode of a chunk says of the machines: what projections are made of. */
export interface EncodeTiming {
  /** ISO 8601. When it had a place at an encoder: the first one of a video starts its encoding. */
  readonly startedAt: string;
  /** Seconds that it waited for that place. */
  readonly waitedSeconds: number;
  /** Work (`workOf`) per second; absent where too little was made to tell. */
  readonly speed?: number | undefined;
  readonly load: FleetLoad;
}

/** The machines that encode, and what waits for them. */
export interface FleetLoad {
  /** Steps in the queues of the encoders. */
  readonly waiting: number;
  /** Processes that take steps from them. */
  readonly workers: number;
}

/** What is known before the first chunk. */
export interface Pace {
  /** As `EncodeTiming.speed`, of machines of late; absent where none has encoded yet. */
  readonly speed?: number | undefined;
  readonly load: FleetLoad;
  /** Not everything that has a deadline can be whole in time. */
  readonly isContended?: boolean | undefined;
}
