/** A child that is started when it is needed, and replaced when it is worn. */
import type { ChildSpec, SpawnSandboxed } from '../child.js';
import { ImageChild } from './image-child.js';

/** glibc never gives back all that a large picture took. */
const JOBS_PER_CHILD = 200;

export class Standby {
  /** Of the last job. */
  residentKiB = 0;
  private child: ImageChild | undefined;
  private jobs = 0;

  constructor(
    private readonly spawn: SpawnSandboxed,
    private readonly spec: ChildSpec,
  ) {}

  /** The one that is there, or a new one. */
  start(): ImageChild {
    this.child ??= new ImageChild(this.spawn, this.spec);
    return this.child;
  }

  async endJob(): Promise<void> {
    this.jobs += 1;
    if (this.jobs >= JOBS_PER_CHILD) await this.stop();
  }

  async stop(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    this.jobs = 0;
    this.residentKiB = 0;
    await child?.kill();
  }
}
