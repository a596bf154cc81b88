import { describe, expect, it } from 'vitest';
import { blobStoreLocation } from '../../../src/blobs/location.ts';

const s3 = (over: object = {}) => ({
  kind: 's3',
  bucket: 'recordings',
  prefix: '',
  region: 'eu-central-1',
  endpoint: undefined,
  ...over,
});

describe('the address of a blob store', () => {
  it.each<[string, unknown]>([
    ['file:///var/lib/teams', { kind: 'file', folder: '/var/lib/teams' }],
    ['file:///var/lib/with%20space/', { kind: 'file', folder: '/var/lib/with space/' }],
    ['s3://recordings?region=eu-central-1', s3()],
    ['s3://recordings/a/b/?region=eu-central-1', s3({ prefix: 'a/b/' })],
    [
      's3://recordings?endpoint=https://s3.example.com',
      s3({ region: 'us-east-1', endpoint: 'https://s3.example.com' }),
    ],
    [
      's3://recordings/p?region=x&endpoint=http%3A%2F%2F127.0.0.1%3A9000',
      s3({ prefix: 'p/', region: 'x', endpoint: 'http://127.0.0.1:9000' }),
    ],
  ])('is read: %s', (address, location) => {
    expect(blobStoreLocation(address)).toEqual(location);
  });

  it.each<[string, RegExp]>([
    ['/var/lib/teams', /must be file/],
    ['https://bucket.example', /must be file/],
    ['file://server/share', /must be file/],
    ['file:///', /must be file/],
    ['file:///a%2Fb', /must be file/],
    ['file:///folder?region=x', /must be file/],
    ['s3://recordings', /must name the region/],
    ['s3:///prefix?region=x', /must name a bucket/],
    ['s3://Not_A_Bucket?region=x', /must name a bucket/],
    ['s3://key:secret@recordings?region=x', /must not hold credentials/],
    ['s3://recordings?region=x&endpoint=http://s3.example.com', /https endpoint/],
    ['s3://recordings?region=x&endpoint=nowhere', /https endpoint/],
    ['s3://recordings?region=x&acl=public', /knows no acl/],
  ])('is refused with a reason: %s', (address, reason) => {
    expect(blobStoreLocation(address)).toMatch(reason);
  });
});
