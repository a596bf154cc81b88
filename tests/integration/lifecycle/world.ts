import type { FaultInput } from '../../../simulator/control.ts';
import { activate } from '../../support/setup.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { ACME, WITHOUT_WAITS } from '../domain/support.ts';
import { type Death, makeMortal } from './death.ts';

/** What a meeting is to be. */
export interface Wish {
  subject: string;
  startsAt: string;
  endsAt: string;
  attendees: string[];
}

export interface SeenMeeting {
  id: string;
  status: 'PROVISIONING' | 'SCHEDULED' | 'FAILED' | 'CANCELLING' | 'CANCELLED';
  subject: string;
  startsAt: string;
  endsAt: string;
  joinUrl: string | null;
  attendees: { emailAddress: string }[];
}

export interface Answer {
  meeting: SeenMeeting | null;
  userErrors: { code: string }[];
}

export interface Row {
  id: string;
  status: string;
  version: number;
  synced_version: number;
  create_unconfirmed: boolean;
  leased_until: Date | null;
  next_attempt_at: Date | null;
  failure: object | null;
}

const MEETING = 'id status subject startsAt endsAt joinUrl attendees { emailAddress }';
const READ = `query ($id: ID!) { teamsMeeting(id: $id) { ${MEETING} } }`;
const mutation = (name: string, input: string) =>
  `mutation ($input: ${input}!) { ${name}(input: $input) { meeting { ${MEETING} } userErrors { code } } }`;

const MUTATIONS = {
  create: mutation('createTeamsMeeting', 'CreateTeamsMeetingInput'),
  reschedule: mutation('rescheduleTeamsMeeting', 'RescheduleTeamsMeetingInput'),
  updateAttendees: mutation('updateTeamsMeetingAttendees', 'UpdateTeamsMeetingAttendeesInput'),
  cancel: mutation('cancelTeamsMeeting', 'CancelTeamsMeetingInput'),
  retry: mutation('retryTeamsMeeting', 'RetryTeamsMeetingInput'),
};

/** Jobs of the meetings; the sweep stays out, as it would hide what they leave undone. */
const SYNC_JOBS = "key LIKE 'sync_meeting:%'";

/** More often than a meeting may need a job once nothing fails any more. */
const MOST_ROUNDS = 4;

export const attendeeInputs = (attendees: string[]) => attendees.map((emailAddress) => ({ emailAddress }));

/** The subgraph with Microsoft behind it, and one appointment in it at a time. */
export class World {
  #appointments = 0;
  #appointmentId = '';
  #isMortal = false;
  readonly #subgraph: TestSubgraph;
  readonly #death: Death;
  readonly #token: string;

  constructor(subgraph: TestSubgraph, death: Death, token: string) {
    this.#subgraph = subgraph;
    this.#death = death;
    this.#token = token;
  }

  static async start(): Promise<World> {
    const subgraph = await startTestSubgraph({ graph: { ...WITHOUT_WAITS, perTryTimeoutMs: 2_500 } });
    return new World(subgraph, await makeMortal(subgraph.database), await activate(subgraph));
  }

  close(): Promise<void> {
    return this.#subgraph.close();
  }

  /** An appointment without meetings, and an empty calendar, whatever became of the one before. */
  async begin(): Promise<void> {
    this.#appointments += 1;
    this.#appointmentId = `appt-life-${this.#appointments}`;
    this.#subgraph.logs.length = 0;
    await this.mend();
    if (this.#appointments % 50 === 0) await this.#subgraph.simulator.clearRequests();
    await this.#subgraph.database.query(`DELETE FROM graphile_worker._private_jobs WHERE ${SYNC_JOBS}`);
    for (const { id } of await this.events()) {
      await this.#subgraph.simulator.deleteEvent(ACME.directoryId, ACME.organizer, id);
    }
  }

  /** Null when the process died before the wish was accepted: then the caller got an error. */
  async ask(operation: keyof typeof MUTATIONS, input: object): Promise<Answer | null> {
    const wish = operation === 'create' ? { appointmentId: this.#appointmentId, ...input } : input;
    const { data, errors } = await this.#subgraph.send<Record<string, Answer>>(this.#token, MUTATIONS[operation], {
      input: wish,
    });
    const hasDied = await this.#restartIfDead();
    const answer = Object.values(data ?? {})[0];
    if (answer) return answer;
    if (hasDied) return null;
    throw new Error(`${operation} ${JSON.stringify(errors)}`);
  }

  async read(id: string): Promise<SeenMeeting> {
    const { data, errors } = await this.#subgraph.send<{ teamsMeeting: SeenMeeting }>(this.#token, READ, { id });
    if (!data?.teamsMeeting) throw new Error(`${id} ${JSON.stringify(errors)}`);
    return data.teamsMeeting;
  }

  async addFault(fault: FaultInput): Promise<void> {
    await this.#subgraph.simulator.addFault(fault);
  }

  clearFaults(): Promise<void> {
    return this.#subgraph.simulator.clearFaults();
  }

  async dieAfter(writes: number): Promise<void> {
    this.#isMortal = true;
    await this.#death.after(writes);
  }

  /** Lets the time pass that the meetings' jobs wait, and runs them. */
  async runJobs(): Promise<void> {
    await this.#subgraph.database.query(
      `UPDATE graphile_worker._private_jobs SET run_at = now() WHERE run_at > now() AND ${SYNC_JOBS}`,
    );
    await this.#subgraph.runJobs();
    await this.#restartIfDead();
  }

  /** What was left undone is done, by the jobs alone. */
  async settle(): Promise<void> {
    for (let round = 0; round < MOST_ROUNDS && (await this.#hasJobs()); round += 1) {
      // Nothing hangs in these lives: what was not answered either came at once or never.
      await this.#subgraph.database.query('UPDATE online_meetings SET late_create_until = now()');
      await this.runJobs();
    }
    if (await this.#hasJobs()) throw new Error('the jobs find no end');
  }

  /** From now on nothing fails any more. */
  async mend(): Promise<void> {
    await this.clearFaults();
    this.#isMortal = false;
    await this.#death.restart();
  }

  events() {
    return this.#subgraph.simulator.listEvents(ACME.directoryId, ACME.organizer);
  }

  rows(): Promise<Row[]> {
    return this.#subgraph.database.query<Row>(
      'SELECT * FROM online_meetings WHERE appointment_id = $1 ORDER BY created_at, id',
      [this.#appointmentId],
    );
  }

  async #hasJobs(): Promise<boolean> {
    const jobs = await this.#subgraph.database.query(
      `SELECT 1 FROM graphile_worker._private_jobs WHERE ${SYNC_JOBS} LIMIT 1`,
    );
    return jobs.length > 0;
  }

  async #restartIfDead(): Promise<boolean> {
    if (!this.#isMortal || !(await this.#death.hasStruck())) return false;
    this.#isMortal = false;
    await this.#death.restart();
    return true;
  }
}
