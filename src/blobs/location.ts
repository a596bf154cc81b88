import { fileURLToPath } from 'node:url';

/** Where blobs are kept. */
export type BlobStoreLocation =
  | { kind: 'file'; folder: string }
  | { kind: 's3'; bucket: string; prefix: string; region: string; endpoint: string | undefined };

const FORMS =
  'must be file:///folder, or s3://bucket/prefix?region=… with &endpoint=… for a server that is not Amazon’s';
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Reads the address of a blob store: `file:///folder`, or `s3://bucket/prefix?region=…&endpoint=…`. Where an endpoint is
 * given, the region may be left out.
 *
 * @returns the store, or what is wrong with the address
 */
export function blobStoreLocation(address: string): BlobStoreLocation | string {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url === null || (url.protocol !== 'file:' && url.protocol !== 's3:')) return FORMS;
  if (url.username !== '' || url.password !== '') {
    return 'must not hold credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role';
  }
  const unknown = [...url.searchParams.keys()].filter((name) => name !== 'region' && name !== 'endpoint');
  if (unknown.length > 0) return `knows no ${unknown.join(', ')}: it ${FORMS}`;
  return url.protocol === 'file:' ? folderOf(url) : bucketOf(url);
}

function folderOf(url: URL): BlobStoreLocation | string {
  if (url.host !== '' || url.search !== '' || url.pathname === '/' || /%2f/i.test(url.pathname)) return FORMS;
  return { kind: 'file', folder: fileURLToPath(url) };
}

function bucketOf(url: URL): BlobStoreLocation | string {
  const endpoint = url.searchParams.get('endpoint') ?? undefined;
  const region = url.searchParams.get('region') ?? (endpoint === undefined ? undefined : 'us-east-1');
  if (region === undefined) return 'must name the region of the bucket: s3://bucket/prefix?region=eu-central-1';
  if (endpoint !== undefined && !isSafe(endpoint)) {
    return 'must have an https endpoint; plain http is accepted for 127.0.0.1, [::1] and localhost only';
  }
  // Source: Amazon S3 user guide, bucket naming rules.
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(url.hostname)) return `must name a bucket: it ${FORMS}`;
  const prefix = url.pathname.replace(/^\/+|\/+$/g, '');
  return { kind: 's3', bucket: url.hostname, prefix: prefix === '' ? '' : `${prefix}/`, region, endpoint };
}

/** Recordings must not cross a network in the clear. */
function isSafe(endpoint: string): boolean {
  if (!URL.canParse(endpoint)) return false;
  const { protocol, hostname } = new URL(endpoint);
  return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.has(hostname));
}
