/**
 * npm run image:rehearse: does the Dockerfile's steps in an empty folder with the real npm, and runs what compose.yaml
 * runs. The test of it takes the packages from node_modules instead.
 */
import { fileURLToPath } from 'node:url';
import { rehearse } from './image/rehearsal.ts';

const project = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
const { bytes, ...seen } = await rehearse({ project, install: 'npm', say: console.log });
console.log(`The application in the image: ${(bytes / 1_048_576).toFixed(0)} MiB`);
console.log(JSON.stringify(seen, null, 2));
