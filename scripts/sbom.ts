/**
 * npm run --silent sbom > sbom.json: what the image ships, as CycloneDX 1.5. It is npm's own list of everything that is
 * locked, less what is not shipped: `npm sbom --omit=dev` leaves out whatever development needs too.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type ShippedPackage, shippedHere } from './shipped.ts';

interface Component {
  'bom-ref': string;
  name: string;
  version: string;
}

/** The parts of a CycloneDX document that are read or changed here. */
export interface Bom {
  components: Component[];
  dependencies: { ref: string; dependsOn: string[] }[];
  metadata: { component: Component };
}

/** Keeps of a document what is shipped. @throws where a shipped package is not in it */
export function onlyShipped(bom: Bom, shipped: readonly ShippedPackage[]): Bom {
  const wanted = new Set(shipped.map(({ name, version }) => `${name}@${version}`));
  const components = bom.components.filter(({ name, version }) => wanted.has(`${name}@${version}`));
  const there = new Set(components.map(({ name, version }) => `${name}@${version}`));
  const missing = [...wanted].filter((one) => !there.has(one));
  if (missing.length > 0) throw new Error(`npm does not list what is shipped: ${missing.join(', ')}`);
  const refs = new Set([bom.metadata.component, ...components].map((one) => one['bom-ref']));
  const dependencies = bom.dependencies
    .filter(({ ref }) => refs.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((one) => refs.has(one)) }));
  return { ...bom, components, dependencies };
}

/** The document of this project as it is locked and bundled. */
export function sbomHere(): Bom {
  const args = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only'];
  const everything = execFileSync('npm', args, { encoding: 'utf8', maxBuffer: 64 * 1_048_576 });
  const bom = onlyShipped(JSON.parse(everything) as Bom, shippedHere());
  // npm takes the folder's name.
  const { name } = JSON.parse(readFileSync('package.json', 'utf8')) as { name: string };
  const { component } = bom.metadata;
  return { ...bom, metadata: { ...bom.metadata, component: { ...component, name } } };
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(sbomHere(), null, 2)}\n`);
