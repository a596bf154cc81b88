import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { CallOptions, GraphClient } from '../../../src/graph/types.ts';
import type { Subject } from '../../../src/services/diagnostics/look.ts';
import { runLooks } from '../../../src/services/diagnostics/run-looks.ts';
import { microsoftLook } from '../../../src/services/diagnostics/steps/microsoft.ts';
import type { ServiceTools } from '../../../src/services/scope.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const slowly = <T>(value: T) => new Promise<T>((resolve) => setTimeout(resolve, 10_000, value));
/** Never answers; ends with its caller's patience. */
const never = ({ signal }: CallOptions = {}) =>
  new Promise<never>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));

/** A Microsoft that is slow everywhere and whose Teams never answers. */
const graph = {
  cloud: 'GLOBAL',
  grantedRoles: () => slowly(new Set(['Calendars.ReadWrite'])),
  directoryId: async () => null,
  users: {
    get: () =>
      slowly({
        id: 'o',
        userPrincipalName: 'o@x',
        displayName: null,
        mail: null,
        accountEnabled: true,
        hasTeamsPlan: true,
      }),
  },
  events: { defaultCalendar: async () => ({ id: 'c', allowedOnlineMeetingProviders: ['teamsForBusiness'] }) },
  onlineMeetings: { findByJoinUrl: (_user: string, _url: string, call?: CallOptions) => never(call) },
  artifacts: { changes: (_kind: string, _user: string, _window: object, call?: CallOptions) => never(call) },
} as unknown as GraphClient;

const rows = { findFirst: async () => null, findMany: async () => [] };
const prisma = { organizerVerification: rows, meetingTranscript: rows };
const subject = {
  scope: { db: { tenantId: 'tenant', run: async (work: (client: typeof prisma) => Promise<unknown>) => work(prisma) } },
  settings: { organizerObjectId: 'o', organizerUpn: 'o@x' },
  app: {},
  graph,
  grantedRoles: () => graph.grantedRoles(),
} as unknown as Subject;

it('what Microsoft has answered is told, however many of its endpoints hang', async () => {
  const logger = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
  const tools = { clock: () => new Date(), logger } as unknown as ServiceTools;
  const look = microsoftLook({ latestVerification: async () => null }, tools);
  const running = runLooks([look], subject, tools, () => undefined);
  await vi.advanceTimersByTimeAsync(90_000);
  const found = Object.fromEntries((await running).map(({ name, status }) => [name, status]));
  expect(found).toMatchObject({
    'microsoft-secret': 'PASS',
    'microsoft-organizer': 'PASS',
    'microsoft-mailbox': 'PASS',
    'microsoft-policy': 'FAIL',
  });
  expect(logger.error).not.toHaveBeenCalled();
});
