import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const KUBERNETES = `${ROOT}deploy/kubernetes/`;

/** What every Kubernetes object has. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
}

/** Every object of deploy/kubernetes but the kustomization, by file. */
export function readManifests(): { file: string; manifest: Manifest }[] {
  return globSync('*.yaml', { cwd: KUBERNETES })
    .filter((file) => file !== 'kustomization.yaml')
    .flatMap((file) =>
      parseAllDocuments(readFileSync(KUBERNETES + file, 'utf8'), { strict: true }).map((document) => {
        if (document.errors.length > 0) throw document.errors[0];
        return { file, manifest: document.toJS() as Manifest };
      }),
    );
}

/** The objects of one kind; that they are what their type says is checked for all of them. */
export function manifestsOf<T>(kind: string): T[] {
  return readManifests().flatMap(({ manifest }) => (manifest.kind === kind ? [manifest as T] : []));
}

type Validate = ((data: unknown) => boolean) & {
  errors?: { instancePath: string; message?: string; keyword: string }[];
};

const GROUPS: Record<string, string> = { '': 'Core', 'networking.k8s.io': 'Networking' };
const capitalised = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

async function validatorOf({ apiVersion, kind }: Manifest): Promise<Validate> {
  const [group = '', version = ''] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  const name = `IoK8sApi${GROUPS[group] ?? capitalised(group)}${capitalised(version)}${kind}`;
  return ((await import(`kubernetes-models/_schemas/${name}`)) as { validate: Validate }).validate;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** Every field below a value, by its path. */
function fieldsOf(value: unknown, path = ''): string[] {
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => [`${path}/${key}`, ...fieldsOf(inner, `${path}/${key}`)]);
}

/**
 * What is wrong with a manifest by Kubernetes' own schemas. They allow fields that they do not know, which is where a
 * typing error would hide: a field that the validator never looks at is one of those.
 */
export async function faultsOf(manifest: Manifest): Promise<string[]> {
  const validate = await validatorOf(manifest);
  const known = new Set<string>();
  const watched = (value: unknown, path: string): unknown =>
    isObject(value)
      ? new Proxy(value, {
          get(target, key) {
            if (typeof key === 'symbol') return Reflect.get(target, key);
            known.add(`${path}/${key}`);
            return watched(Reflect.get(target, key), `${path}/${key}`);
          },
        })
      : value;
  validate(watched(manifest, ''));
  const errors = (validate.errors ?? []).map((error) => `${error.instancePath || '/'}: ${error.keyword}`);
  const unknown = fieldsOf(manifest).filter((field) => !known.has(field));
  return [...errors, ...unknown.map((field) => `${field}: unknown field`)];
}
