export interface Client {
  id: string;
  name: string;
  email: string | null;
  defaultLocation: { email: string | null } | null;
}

export interface Contact {
  id: string;
  name: string;
  email: string | null;
  clientId: string;
}

export interface User {
  id: string;
  name: string;
  email: string;
}

export interface Appointment {
  id: string;
  title: string;
  /** RFC 3339, in UTC; so are the other times. */
  startsAt: string;
  endsAt: string;
  status: 'PENDING' | 'CONFIRMED' | 'COMPLETED';
  clientId: string;
  contactId: string | null;
  assignedToId: string | null;
}

export interface Interaction {
  id: string;
  title: string;
  occurredAt: string;
  clientId: string;
  contactId: string | null;
}

export interface TenantData {
  clients: Client[];
  contacts: Contact[];
  users: User[];
  appointments: Appointment[];
  interactions: Interaction[];
}

/**
 * The made-up PSA: two tenants, by tenant id. Times lie around the day of `now`, at whole hours UTC, so that a meeting
 * can be made for the later appointments.
 */
export function createPsaData(now: Date): ReadonlyMap<string, TenantData> {
  const at: TimeAt = (days, hour) =>
    new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + days, hour)).toISOString();
  return new Map([
    ['tenant-a', tenantA(at)],
    ['tenant-b', tenantB(at)],
  ]);
}

type TimeAt = (days: number, hour: number) => string;

function hourLong(startsAt: string): { startsAt: string; endsAt: string } {
  return { startsAt, endsAt: new Date(Date.parse(startsAt) + 3_600_000).toISOString() };
}

function tenantA(at: TimeAt): TenantData {
  const tina = { assignedToId: 'user-tina', status: 'CONFIRMED' as const };
  const acme = { clientId: 'client-acme' };
  const initech = { clientId: 'client-initech' };
  return {
    clients: [
      {
        id: 'client-acme',
        name: 'Acme GmbH',
        email: 'office@acme.example',
        defaultLocation: { email: 'frontdesk@acme.example' },
      },
      { id: 'client-initech', name: 'Initech Ltd', email: 'hello@initech.example', defaultLocation: null },
    ],
    contacts: [
      { id: 'contact-jane', name: 'Jane Doe', email: 'jane@acme.example', clientId: 'client-acme' },
      { id: 'contact-john', name: 'John Roe', email: null, clientId: 'client-acme' },
      { id: 'contact-bill', name: 'Bill Lumbergh', email: 'bill@initech.example', clientId: 'client-initech' },
    ],
    users: [
      { id: 'user-tina', name: 'Tina Technician', email: 'tina@msp-a.example' },
      { id: 'user-adam', name: 'Adam Administrator', email: 'adam@msp-a.example' },
    ],
    appointments: [
      { id: 'appt-a-1', title: 'Quarterly review', ...hourLong(at(1, 9)), ...tina, ...acme, contactId: 'contact-jane' },
      { id: 'appt-a-2', title: 'Printer trouble', ...hourLong(at(1, 13)), ...tina, ...acme, contactId: 'contact-john' },
      { id: 'appt-a-3', title: 'Onboarding', ...hourLong(at(2, 9)), ...tina, ...initech, contactId: 'contact-bill' },
      { id: 'appt-a-4', title: 'Backup test', ...hourLong(at(3, 15)), ...tina, ...initech, contactId: null },
      {
        id: 'appt-a-5',
        title: 'New office',
        ...hourLong(at(7, 10)),
        ...acme,
        contactId: 'contact-jane',
        status: 'PENDING',
        assignedToId: null,
      },
      {
        id: 'appt-a-6',
        title: 'Firewall change',
        ...hourLong(at(-2, 8)),
        ...initech,
        contactId: 'contact-bill',
        status: 'COMPLETED',
        assignedToId: 'user-adam',
      },
    ],
    interactions: [
      { id: 'int-a-1', title: 'Call about licences', occurredAt: at(-1, 9), ...acme, contactId: 'contact-jane' },
      { id: 'int-a-2', title: 'Mail about a printer', occurredAt: at(-2, 14), ...acme, contactId: 'contact-john' },
      { id: 'int-a-3', title: 'Call about backups', occurredAt: at(-3, 11), ...initech, contactId: null },
    ],
  };
}

function tenantB(at: TimeAt): TenantData {
  const base = { clientId: 'client-umbrella', contactId: 'contact-ada', assignedToId: 'user-uma' };
  return {
    clients: [
      {
        id: 'client-umbrella',
        name: 'Umbrella SA',
        email: 'office@umbrella.example',
        defaultLocation: { email: 'reception@umbrella.example' },
      },
    ],
    contacts: [{ id: 'contact-ada', name: 'Ada Wong', email: 'ada@umbrella.example', clientId: 'client-umbrella' }],
    users: [{ id: 'user-uma', name: 'Uma Technician', email: 'uma@msp-b.example' }],
    appointments: [
      { id: 'appt-b-1', title: 'Laboratory network', ...hourLong(at(1, 10)), ...base, status: 'CONFIRMED' },
      { id: 'appt-b-2', title: 'Server move', ...hourLong(at(4, 8)), ...base, status: 'PENDING' },
      { id: 'appt-b-3', title: 'Audit', ...hourLong(at(-5, 9)), ...base, status: 'COMPLETED' },
    ],
    interactions: [
      {
        id: 'int-b-1',
        title: 'Call about an audit',
        occurredAt: at(-6, 9),
        clientId: 'client-umbrella',
        contactId: 'contact-ada',
      },
    ],
  };
}
