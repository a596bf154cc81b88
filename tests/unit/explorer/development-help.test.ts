import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { developmentHelp } from '../../../src/cli/development-help.ts';
import type { DevelopmentHelp } from '../../../src/server/routes/explorer.ts';

let directory: string;
let help: DevelopmentHelp;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'development-help-'));
  help = await developmentHelp(directory);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('what developers are helped with', () => {
  it.each(['admin', 'technician', 'client'])('is a token of a %s, signed with the key of the machine', async (role) => {
    const keys = createLocalJWKSet(JSON.parse(await readFile(join(directory, 'development-jwks.json'), 'utf8')));
    const { payload } = await jwtVerify((await help.tokenFor(role)) ?? '', keys);
    expect(payload).toMatchObject({ sub: `user-${role}`, tenant_id: 'tenant-a' });
  });

  it.each(['service', 'root', '', 'toString', '__proto__'])('is no token of a %j', async (role) => {
    expect(await help.tokenFor(role)).toBeNull();
  });
});
