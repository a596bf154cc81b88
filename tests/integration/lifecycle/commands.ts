import fc from 'fast-check';
import { expect } from 'vitest';
import type { FaultInput } from '../../../simulator/control.ts';
import { type Answer, attendeeInputs, type SeenMeeting, type Wish, type World } from './world.ts';

/** One meeting as everybody should see it. */
interface ModelMeeting extends Wish {
  id: string;
  isCancelled: boolean;
  /** Once it was seen it is the meeting's for good. */
  joinUrl: string | null;
  /** As it was read last: nothing but a command changes it. */
  status: SeenMeeting['status'];
}

/** The meetings that were made for the appointment, one after the other; all but the last are cancelled. */
export interface Model {
  meetings: ModelMeeting[];
}

type Command = fc.AsyncCommand<Model, World>;

const lowered = (addresses: string[]) => addresses.map((address) => address.toLowerCase());

/** The content of a wish, to compare with what the API or the calendar shows. */
export function contentOf({ subject, startsAt, endsAt, attendees }: Wish) {
  return { subject, startsAt: Date.parse(startsAt), endsAt: Date.parse(endsAt), attendees: lowered(attendees) };
}

function shown(meeting: SeenMeeting) {
  return contentOf({ ...meeting, attendees: meeting.attendees.map(({ emailAddress }) => emailAddress) });
}

/** Holds what the public API says of the appointment's latest meetings against the model. */
async function compare(model: Model, world: World): Promise<void> {
  for (const meeting of model.meetings.slice(-2)) {
    const seen = await world.read(meeting.id);
    expect(shown(seen)).toEqual(contentOf(meeting));
    if (meeting.isCancelled) {
      expect(seen).toMatchObject({ joinUrl: null, status: expect.stringMatching(/^CANCELL(ING|ED)$/) });
      if (meeting.status === 'CANCELLED') expect(seen.status).toBe('CANCELLED');
    } else {
      expect(seen.status).toMatch(/^(PROVISIONING|SCHEDULED|FAILED)$/);
      if (meeting.joinUrl !== null || seen.status === 'SCHEDULED') expect(seen.joinUrl).not.toBeNull();
      if (meeting.joinUrl !== null) expect(seen.joinUrl).toBe(meeting.joinUrl);
      meeting.joinUrl = seen.joinUrl;
    }
    meeting.status = seen.status;
  }
}

/** What Microsoft refuses until a person acts is told with the accepted wish; nothing else may be. */
function expectAccepted({ userErrors }: Answer): void {
  if (userErrors.length > 0) expect(userErrors).toEqual([{ code: 'PERMISSION_MISSING' }]);
}

class Create implements Command {
  readonly #wish: Wish;

  constructor(wish: Wish) {
    this.#wish = wish;
  }

  check = () => true;
  toString = () => `create(${JSON.stringify(this.#wish)})`;

  async run(model: Model, world: World): Promise<void> {
    const active = model.meetings.find(({ isCancelled }) => !isCancelled);
    const { attendees, ...rest } = this.#wish;
    const answer = await world.ask('create', { ...rest, attendees: attendeeInputs(attendees) });
    if (answer !== null) this.#learn(model, active, answer);
    await compare(model, world);
  }

  #learn(model: Model, active: ModelMeeting | undefined, answer: Answer): void {
    expectAccepted(answer);
    const { meeting } = answer;
    if (meeting === null) throw new Error(JSON.stringify(answer));
    if (active === undefined) {
      expect(model.meetings.map(({ id }) => id)).not.toContain(meeting.id);
      const { id, status } = meeting;
      model.meetings.push({ ...this.#wish, id, status, isCancelled: false, joinUrl: null });
      return;
    }
    expect(meeting.id).toBe(active.id);
    // One that failed takes the new wish while it is not known that Microsoft made it, which the API does not tell.
    const mayTakeOver = active.status === 'FAILED' && active.joinUrl === null;
    if (mayTakeOver && fc.stringify(shown(meeting)) === fc.stringify(contentOf(this.#wish))) {
      Object.assign(active, this.#wish);
    }
  }
}

/** Commands on the meeting that was made last; without one they make no sense. */
abstract class OnLast implements Command {
  check = (model: Readonly<Model>) => model.meetings.length > 0;
  abstract toString(): string;

  /** Asks; the answer is null when the process died first. */
  protected abstract ask(world: World, meetingId: string): Promise<Answer | null>;
  protected abstract isRefused(meeting: ModelMeeting): boolean;
  protected abstract apply(meeting: ModelMeeting): void;

  async run(model: Model, world: World): Promise<void> {
    const meeting = model.meetings.at(-1);
    if (meeting === undefined) return;
    const answer = await this.ask(world, meeting.id);
    if (answer !== null) {
      if (this.isRefused(meeting)) expect(answer.userErrors).toEqual([{ code: 'MEETING_ALREADY_CANCELLED' }]);
      else {
        expectAccepted(answer);
        this.apply(meeting);
      }
    }
    await compare(model, world);
  }
}

class Reschedule extends OnLast {
  readonly #wish: Pick<Wish, 'startsAt' | 'endsAt'> & { subject?: string };

  constructor(wish: Pick<Wish, 'startsAt' | 'endsAt'> & { subject?: string }) {
    super();
    this.#wish = wish;
  }

  toString = () => `reschedule(${JSON.stringify(this.#wish)})`;
  protected ask = (world: World, meetingId: string) => world.ask('reschedule', { meetingId, ...this.#wish });
  protected isRefused = ({ isCancelled }: ModelMeeting) => isCancelled;
  protected apply = (meeting: ModelMeeting) => void Object.assign(meeting, this.#wish);
}

class UpdateAttendees extends OnLast {
  readonly #attendees: string[];

  constructor(attendees: string[]) {
    super();
    this.#attendees = attendees;
  }

  toString = () => `updateAttendees(${this.#attendees.join(', ')})`;
  protected ask = (world: World, meetingId: string) =>
    world.ask('updateAttendees', { meetingId, attendees: attendeeInputs(this.#attendees) });
  protected isRefused = ({ isCancelled }: ModelMeeting) => isCancelled;
  protected apply = (meeting: ModelMeeting) => {
    meeting.attendees = this.#attendees;
  };
}

class Cancel extends OnLast {
  toString = () => 'cancel';
  protected ask = (world: World, meetingId: string) => world.ask('cancel', { meetingId, comment: 'No longer needed' });
  protected isRefused = ({ status }: ModelMeeting) => status === 'CANCELLED';
  protected apply = (meeting: ModelMeeting) => {
    meeting.isCancelled = true;
  };
}

class Retry extends OnLast {
  toString = () => 'retry';
  protected ask = (world: World, meetingId: string) => world.ask('retry', { meetingId });
  protected isRefused = ({ status }: ModelMeeting) => status === 'CANCELLED';
  protected apply = () => {};
}

class RunJobs implements Command {
  check = () => true;
  toString = () => 'run jobs';

  async run(model: Model, world: World): Promise<void> {
    await world.runJobs();
    await compare(model, world);
  }
}

/** Changes what happens to the commands that follow, and nothing by itself. */
class Circumstance implements Command {
  readonly #name: string;
  readonly #begin: (world: World) => Promise<void>;

  constructor(name: string, begin: (world: World) => Promise<void>) {
    this.#name = name;
    this.#begin = begin;
  }

  check = () => true;
  toString = () => this.#name;
  run = (_model: Model, world: World) => this.#begin(world);
}

const clearFaults = () => new Circumstance('clear faults', (world) => world.clearFaults());
const die = (writes: number) => new Circumstance(`die after ${writes} writes`, (world) => world.dieAfter(writes));
const fail = (...faults: FaultInput[]) =>
  new Circumstance(`fail(${JSON.stringify(faults)})`, async (world) => {
    for (const fault of faults) await world.addFault(fault);
  });

/** The work was done, or may have been, and nobody was told. */
const UNANSWERED: FaultInput[] = [
  { status: 504, body: null, after: true },
  { status: 500, after: true },
  { cut: 'after' },
];
/** The work was not done, and may be tried again. */
const UNDONE: FaultInput[] = [
  { cut: 'before' },
  { status: 503 },
  { status: 500 },
  { status: 429 },
  { status: 429, headers: {} },
  { status: 401 },
];
/** The work was not done, and a person has to act first. */
const REFUSED: FaultInput = {
  status: 403,
  body: { error: { code: 'ErrorAccessDenied', message: 'Access is denied.' } },
};

/** Calls that a failure meets: making, looking for, reading, changing and removing an event, or any. */
const CALLS: FaultInput['match'][] = [
  { path: '/v1.0/users/' },
  { path: '/events' },
  { method: 'POST', path: '/events$' },
  { method: 'GET', path: '/events\\?' },
  { method: 'GET', path: '/events/' },
  { method: 'PATCH', path: '/events/' },
  { method: 'POST', path: '/cancel$' },
  { method: 'DELETE', path: '/events/' },
];

const failure = fc.oneof(fc.constantFrom(...UNANSWERED), fc.constantFrom(...UNDONE), fc.constant(REFUSED));
const fault = fc
  .record({ failure, match: fc.constantFrom(...CALLS), times: fc.integer({ min: 1, max: 4 }) })
  .map(
    ({ failure: kind, match, times }): FaultInput => ({ ...kind, ...(match === undefined ? {} : { match }), times }),
  );

const subject = fc.constantFrom('Review', 'Kick-off', 'Retrospective & more');
const attendees = fc.uniqueArray(fc.constantFrom('jane@acme.example', 'Joe@acme.example', 'kim@globex.example'), {
  maxLength: 3,
});
// Beyond the days that the sweep looks over: what it would put right must not be wrong in the first place.
const times = fc.constantFrom(
  { startsAt: '2036-12-01T10:00:00.000Z', endsAt: '2036-12-01T11:00:00.000Z' },
  { startsAt: '2036-12-01T10:00:00.000Z', endsAt: '2036-12-01T10:30:00.000Z' },
  { startsAt: '2036-12-24T23:30:00.000Z', endsAt: '2036-12-25T00:30:00.000Z' },
);

const create = fc
  .record({ subject, attendees, when: times })
  .map(({ when, ...rest }) => new Create({ ...rest, ...when }));

/** The hardest to be left with: an event may have been made, and it cannot be looked for. */
const lostCreate = fc
  .record({ lost: fc.constantFrom(...UNANSWERED), failure })
  .map(({ lost, failure: kind }) =>
    fail(
      { ...lost, match: { method: 'POST', path: '/events$' } },
      { ...kind, match: { method: 'GET', path: '/events\\?' } },
    ),
  );

const trouble: fc.Arbitrary<Command> = fc.oneof(
  { arbitrary: fault.map((one) => fail(one)), weight: 3 },
  { arbitrary: lostCreate, weight: 2 },
  { arbitrary: fc.integer({ min: 0, max: 6 }).map(die), weight: 1 },
);

/** A life begins with a meeting, for which nothing, or something, goes wrong. */
export const birth: fc.Arbitrary<Command[]> = fc
  .tuple(fc.array(trouble, { maxLength: 2 }), create)
  .map(([troubles, first]) => [...troubles, first]);

/** What follows; repeated where a kind shall come more often. */
export const commands: fc.Arbitrary<Command>[] = [
  create,
  create,
  fc
    .record({ when: times, subject: fc.option(subject, { nil: undefined }) })
    .map(({ when, subject: name }) => new Reschedule({ ...when, ...(name === undefined ? {} : { subject: name }) })),
  attendees.map((list) => new UpdateAttendees(list)),
  fc.constant(null).map(() => new Cancel()),
  fc.constant(null).map(() => new Retry()),
  fc.constant(null).map(() => new RunJobs()),
  fc.constant(null).map(clearFaults),
  trouble,
  trouble,
];
