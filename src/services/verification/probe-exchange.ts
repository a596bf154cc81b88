import { GraphRequestError } from '../../graph/errors.ts';
import { EVENT_READ_ROLES } from '../../graph/event-plan.ts';
import type { CallOptions, GraphCalendar } from '../../graph/types.ts';
import { EXCHANGE_PERMISSION } from '../microsoft-app/permissions.ts';
import type { Asked, Checklist, Failure, Warning } from './checklist.ts';
import { describeFailure, NoMeetingAttachedError, ProviderNotAllowedError } from './describe-failure.ts';
import { type ProbeContext, withoutRole } from './probe-context.ts';
import type { RoundTrip } from './probe-event.ts';

const DAY_MS = 24 * 3_600_000;

/** Creating, and waiting for the join link. */
const CREATE_LIMIT_MS = 20_000;
/** Its own: whatever the making took, what was made is removed. */
const REMOVE_LIMIT_MS = 10_000;

const AFTER_SCOPE = 'Not run, because Exchange does not let the app into the mailbox.';

/**
 * The checks `exchange-scope`, `mailbox` and `provider` from one reading of the calendar, `mailbox-outside` where a
 * mailbox is named, and `meeting` where there is a round trip.
 */
export async function probeExchange(
  context: ProbeContext,
  list: Checklist,
  options: { outsideMailbox: string | null; roundTrip: RoundTrip | null },
): Promise<void> {
  const { graph, userId } = context;
  const calendar = await list.ask((call) => graph.events.defaultCalendar(userId, call));
  const isUsable = judgeCalendar(context, list, calendar);
  await probeOutside(context, list, options.outsideMailbox, list.passed('exchange-scope'));
  const { roundTrip } = options;
  if (roundTrip === null) return;
  if (!isUsable) list.skip(['meeting']);
  else await probeMeeting(context, list, roundTrip);
}

/** @returns whether meetings can be made in the calendar as far as it shows */
function judgeCalendar(context: ProbeContext, list: Checklist, asked: Asked<GraphCalendar>): boolean {
  const { failure } = asked;
  if (failure === undefined) {
    list.found('exchange-scope', 'Exchange lets the app into the mailbox of the organizer.', asked);
    list.found('mailbox', 'The organizer has a mailbox in Exchange Online.', asked);
    if (asked.value.allowedOnlineMeetingProviders.includes('teamsForBusiness')) {
      list.found('provider', 'The calendar allows Teams meetings.', asked);
      return true;
    }
    list.failed('provider', describeFailure(new ProviderNotAllowedError()), asked);
    return false;
  }
  const isScope =
    failure.kind === 'EXCHANGE_SCOPE_DENIED' || failure.kind === 'ROLE_MISSING' || failure.kind === 'FORBIDDEN';
  if (isScope) {
    const told = failure.kind === 'ROLE_MISSING' ? withoutPermission(failure) : failure;
    list.failed('exchange-scope', told, asked, withoutRole(context, EXCHANGE_PERMISSION));
    list.skip(['mailbox', 'provider'], AFTER_SCOPE);
    return false;
  }
  list.skip(['exchange-scope'], 'Cannot be told while the mailbox does not answer.');
  list.failed('mailbox', failure.kind === 'USER_NOT_FOUND' ? withoutMailbox(context, failure) : failure, asked);
  list.skip(['provider'], 'Not run, because the check mailbox failed.');
  return false;
}

/** An RBAC assignment that leaves the organizer out, and a permission that was never given, look the same. */
function withoutPermission(failure: Failure): Failure {
  return {
    ...failure,
    detail: `${EXCHANGE_PERMISSION} is neither in the token nor granted by Exchange for the mailbox of the organizer.`,
    remedy: `Grant it in Exchange for the organizer (RBAC for Applications, role “Application ${EXCHANGE_PERMISSION}”), or add the application permission in Entra and grant admin consent. Either can take more than an hour to arrive.`,
  };
}

/** Exchange answers `ErrorInvalidUser` for whom it does not have; the directory may have the user all the same. */
function withoutMailbox({ isFound }: ProbeContext, failure: Failure): Failure {
  if (!isFound) return failure;
  return {
    ...failure,
    outcome: 'MAILBOX_UNAVAILABLE',
    detail: 'The organizer is in the directory, but Exchange Online does not have this user.',
    remedy:
      'Assign a licence with Exchange Online to the organizer and wait until the mailbox is made, which can take up to a day; or choose another organizer.',
  };
}

/** That a mailbox outside the scope can be read too is a warning: the app works, and may more than it should. */
async function probeOutside(
  { graph, granted }: ProbeContext,
  list: Checklist,
  outsideMailbox: string | null,
  isInside: boolean,
): Promise<void> {
  const name = 'mailbox-outside';
  if (outsideMailbox === null) {
    list.skip(
      [name],
      'No mailbox outside the scope was named: give input.outsideMailbox to see that Exchange refuses it.',
    );
    return;
  }
  if (!isInside) {
    list.skip([name], 'Not run, because the app does not get into the mailbox of the organizer either.');
    return;
  }
  const asked = await list.ask((call) => graph.events.defaultCalendar(outsideMailbox, call));
  const { failure } = asked;
  if (failure === undefined) {
    list.found(
      name,
      {
        detail: 'The app can also read a mailbox that should be out of its reach.',
        remedy: howToClose(granted),
      },
      asked,
    );
  } else if (failure.kind === 'EXCHANGE_SCOPE_DENIED' || failure.kind === 'ROLE_MISSING') {
    list.found(name, 'Exchange keeps the app out of the mailbox that was named.', asked);
  } else if (failure.kind === 'USER_NOT_FOUND' || failure.kind === 'MAILBOX_UNAVAILABLE') {
    list.skip([name], 'There is no mailbox of the name that was given, so it shows nothing.');
  } else {
    list.skip([name], `Microsoft did not say whether the app can read it: ${failure.detail}`);
  }
}

/** What opens other mailboxes is a calendar role in the token, for it is for all of them; else Exchange does. */
function howToClose(granted: ReadonlySet<string>): string {
  const roles = EVENT_READ_ROLES.filter((role) => granted.has(role));
  return roles.length === 0
    ? 'No calendar permission is in the token, so Exchange lets the app in: narrow the scope of its role assignments (RBAC for Applications) to the organizer. It can take more than an hour to arrive.'
    : `Limit the app to the organizer: with RBAC for Applications, remove the consent to ${roles.join(', ')} in Entra; or make an application access policy in Exchange. Either can take more than an hour to arrive.`;
}

/**
 * The check `meeting`: makes a calendar event with a Teams meeting and removes it. Its removal is planned before it is
 * made. That no meeting came of it is the finding, whether or not the event could be removed.
 */
async function probeMeeting(context: ProbeContext, list: Checklist, roundTrip: RoundTrip): Promise<void> {
  const made = await list.ask((call) => makeEvent(context, roundTrip, call), CREATE_LIMIT_MS);
  if (made.failure !== undefined) {
    list.failed('meeting', made.failure, made);
    return;
  }
  const { event, transactionId } = made.value;
  const removed = await list.ask(async (call) => {
    await context.graph.events.delete(context.userId, event.id, call);
    await roundTrip.end(transactionId);
  }, REMOVE_LIMIT_MS);
  const asked = {
    durationMs: made.durationMs + removed.durationMs,
    graphRequestId: removed.graphRequestId ?? made.graphRequestId,
  };
  const withoutMeeting = !event.isOnlineMeeting
    ? new ProviderNotAllowedError()
    : event.joinUrl === null
      ? new NoMeetingAttachedError()
      : null;
  if (withoutMeeting !== null) {
    const failure = describeFailure(withoutMeeting);
    const left = removed.failure === undefined ? '' : ` The event could not be removed: ${removed.failure.detail}`;
    list.failed('meeting', { ...failure, detail: `${failure.detail}${left}` }, asked);
  } else if (removed.failure !== undefined) {
    const warning: Warning = {
      detail: `A calendar event with a Teams meeting was made, but not removed: ${removed.failure.detail}`,
      remedy: 'Nothing has to be done: it is removed by itself within minutes.',
    };
    list.found('meeting', warning, asked);
  } else list.found('meeting', 'A calendar event with a Teams meeting was made and removed.', asked);
}

async function makeEvent({ graph, userId, tools }: ProbeContext, roundTrip: RoundTrip, call: CallOptions) {
  const startsAt = new Date(tools.clock().getTime() + DAY_MS);
  const { markers, transactionId } = await roundTrip.begin(userId);
  const wanted = {
    subject: 'Teams meetings verification (removed at once)',
    startsAt,
    endsAt: new Date(startsAt.getTime() + 15 * 60_000),
    bodyHtml: '',
    attendees: [],
    transactionId,
    markers,
  };
  const event = await graph.events.create(userId, wanted, call).catch(async (error: unknown) => {
    // Only an answer says for certain that there is no event; time may run out while its join link is waited for.
    const isRefused = error instanceof GraphRequestError && error.status !== null && !error.mayHaveWorked;
    if (isRefused) await roundTrip.end(transactionId);
    throw error;
  });
  return { event, transactionId };
}
