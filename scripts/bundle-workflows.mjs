/** Bundles the workflows once, for the container image: `dist/workflow-bundle.js`, which workers load when it is there. */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';

const dist = (name) => fileURLToPath(new URL(`../dist/${name}`, import.meta.url));

const { code } = await bundleWorkflowCode({
  workflowsPath: dist('workflows/index.js'),
  workflowInterceptorModules: [dist('workflows/tracing.js')],
});
await writeFile(dist('workflow-bundle.js'), code);
console.log(`dist/workflow-bundle.js: ${Math.round(code.length / 1024)} KiB`);
