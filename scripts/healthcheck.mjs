/** Health check of a container: does the process answer on its own Prometheus endpoint? */
const port = process.env.WORKERS_METRICS_PORT;
const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(4000) });
process.exit(answer.ok ? 0 : 1);
