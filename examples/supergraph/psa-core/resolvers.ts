import { GraphQLError } from 'graphql';
import type { Appointment, Client, Contact, Interaction, TenantData, User } from './data.ts';
import type { Viewer } from './viewer.ts';

export interface PsaContext {
  /** The verified viewer; rejects with UNAUTHENTICATED without one. Asked only where data is read. */
  viewer(): Promise<Viewer>;
  data: ReadonlyMap<string, TenantData>;
}

type Reference = { id: string };
type Args = { first?: number | null; id?: string };

/** What this viewer may see of the data: the own tenant and, for a client's viewer, the own client. */
async function visible(context: PsaContext): Promise<TenantData> {
  const { tenantId, clientId } = await context.viewer();
  const tenant = context.data.get(tenantId);
  if (!tenant) return { clients: [], contacts: [], users: [], appointments: [], interactions: [] };
  if (clientId === null) return tenant;
  const ofClient = (row: { clientId: string }) => row.clientId === clientId;
  return {
    clients: tenant.clients.filter((client) => client.id === clientId),
    contacts: tenant.contacts.filter(ofClient),
    users: tenant.users,
    appointments: tenant.appointments.filter(ofClient),
    interactions: tenant.interactions.filter(ofClient),
  };
}

function find<Row extends Reference>(rows: Row[], id: string | null | undefined): Row | null {
  return rows.find((row) => row.id === id) ?? null;
}

function firstOf<Row>(rows: Row[], first: number | null | undefined): Row[] {
  if (first == null) return rows;
  if (first < 0) throw new GraphQLError('first must not be negative.', { extensions: { code: 'BAD_USER_INPUT' } });
  return rows.slice(0, first);
}

const byStart = (a: Appointment, b: Appointment) => a.startsAt.localeCompare(b.startsAt);
const latestFirst = (a: Interaction, b: Interaction) => b.occurredAt.localeCompare(a.occurredAt);

const clientOf = async (row: { clientId: string }, _: unknown, context: PsaContext): Promise<Client | null> =>
  find((await visible(context)).clients, row.clientId);

const contactOf = async (row: { contactId: string | null }, _: unknown, context: PsaContext): Promise<Contact | null> =>
  find((await visible(context)).contacts, row.contactId);

// Objects are copied on their way out because the subgraph library writes `__typename` onto them.
const reference = <Row extends Reference>(rows: (tenant: TenantData) => Row[]) => ({
  __resolveReference: async ({ id }: Reference, context: PsaContext): Promise<Row | null> => {
    const row = find(rows(await visible(context)), id);
    return row && { ...row };
  },
});

/** The PSA core's resolvers, for `buildSubgraphSchema`. */
export const resolvers = {
  Query: {
    appointments: async (_: unknown, { first }: Args, context: PsaContext): Promise<Appointment[]> =>
      firstOf([...(await visible(context)).appointments].sort(byStart), first),
    appointment: async (_: unknown, { id }: Args, context: PsaContext): Promise<Appointment | null> =>
      find((await visible(context)).appointments, id),
    interactions: async (_: unknown, { first }: Args, context: PsaContext): Promise<Interaction[]> =>
      firstOf([...(await visible(context)).interactions].sort(latestFirst), first),
    interaction: async (_: unknown, { id }: Args, context: PsaContext): Promise<Interaction | null> =>
      find((await visible(context)).interactions, id),
    me: async (_: unknown, __: Args, context: PsaContext): Promise<User | null> =>
      find((await visible(context)).users, (await context.viewer()).userId),
  },
  Appointment: {
    ...reference((tenant) => tenant.appointments),
    client: clientOf,
    contact: contactOf,
    assignedTo: async ({ assignedToId }: Appointment, _: unknown, context: PsaContext): Promise<User | null> =>
      find((await visible(context)).users, assignedToId),
  },
  Interaction: { ...reference((tenant) => tenant.interactions), client: clientOf, contact: contactOf },
  Contact: { ...reference((tenant) => tenant.contacts), client: clientOf },
  Client: reference((tenant) => tenant.clients),
  User: reference((tenant) => tenant.users),
};
