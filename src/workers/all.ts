import { ROLES } from './roles.js';
import { runWorkers } from './run.js';

await runWorkers(ROLES);
