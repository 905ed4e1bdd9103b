/** What the stack knows of a server before it runs one: where it comes from, and how it is started. */

export const SERVER_NAMES = ['temporal', 'kafka', 'minio', 'postgres'] as const;
export type ServerName = (typeof SERVER_NAMES)[number];

export interface Ports {
  readonly temporal: number;
  readonly temporalUi: number;
  readonly kafka: number;
  readonly kafkaController: number;
  readonly minio: number;
  readonly minioConsole: number;
  readonly postgres: number;
  /** Of our own servers. */
  readonly http: number;
  readonly grpc: number;
  readonly codec: number;
  /** Of the metrics of our own processes. */
  readonly metricsWorkers: number;
  readonly metricsHttp: number;
  readonly metricsGrpc: number;
  readonly metricsStarter: number;
  readonly metricsCodec: number;
}

export const DEFAULT_PORTS: Ports = {
  temporal: 7233,
  temporalUi: 8233,
  kafka: 9092,
  kafkaController: 9093,
  minio: 9000,
  minioConsole: 9001,
  postgres: 5432,
  http: 8080,
  grpc: 8090,
  codec: 8091,
  metricsWorkers: 9464,
  metricsHttp: 9465,
  metricsGrpc: 9466,
  metricsStarter: 9467,
  metricsCodec: 9468,
};

/** A program on `PATH` that a build or a server needs, and what brings it. */
export interface Requirement {
  readonly command: string;
  readonly install: string;
}

/** How a package client makes a server. `{out}` in arguments and environment is the folder that becomes the cached one. */
export interface BuildPlan {
  readonly requires: readonly Requirement[];
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Where a server can come from. Looked at in this order: configuration, `PATH`, cache, build. */
export interface ServerSource {
  readonly name: ServerName;
  readonly version: string;
  /** Path given by configuration; empty when none is. */
  readonly configured: string;
  /** The environment variable of `configured`, for messages. */
  readonly variable: string;
  /** A command that, found on `PATH`, brings the server. */
  readonly onPath?: string | undefined;
  /** From the command found on `PATH` to what `launch` expects. */
  readonly fromPath: (command: string) => string;
  /** Within the cached folder, what `launch` expects. */
  readonly entry: string;
  /** What must be there to run it, beside the server itself. */
  readonly runs: readonly Requirement[];
  /** Absent: it comes with the npm packages, at `packaged`. */
  readonly build?: BuildPlan | undefined;
  readonly packaged?: string | undefined;
}

/** What a package client can make: a server of the stack, or one of the tests. */
export type Buildable = Pick<ServerSource, 'version' | 'entry' | 'build'> & { readonly name: string };

/** One process to start. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Asks for an orderly end. */
  readonly stopSignal: NodeJS.Signals;
  /** What the kernel sends when our process dies without having stopped it. */
  readonly orphanSignal: 'KILL' | 'QUIT';
}

/** Address under which we ourselves reach what listens on `bindHost`. */
export function reachable(bindHost: string): string {
  if (bindHost === '0.0.0.0') return '127.0.0.1';
  return bindHost === '::' ? '[::1]' : bindHost;
}

export const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127\./.test(host);
