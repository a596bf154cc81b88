import { describe, expect, it } from 'vitest';
import { draftEvent, escapeHtml } from '../../../src/services/meetings/event-draft.ts';
import { statusAt } from '../../../src/services/meetings/meeting.ts';
import { storedAttendee, storedMeeting } from './meeting.ts';

describe('the calendar event of a meeting', () => {
  it('carries the description as paragraphs in which nothing is mark-up', () => {
    const description = 'Hello <script>alert("1")</script>\r\n\n  \nTom & Jerry’s “plan” \'quoted\'';
    expect(draftEvent(storedMeeting({ description }), [], true).bodyHtml).toBe(
      '<p>Hello &lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;</p><p>Tom &amp; Jerry’s “plan” &#39;quoted&#39;</p>',
    );
  });

  it('has an empty body without a description, and the transaction id of the meeting', () => {
    expect(draftEvent(storedMeeting(), [], true)).toMatchObject({
      bodyHtml: '',
      transactionId: 'transaction',
      subject: 'Quarterly review',
    });
  });

  it.each([
    [true, [{ emailAddress: 'jane@acme.example', name: 'Jane' }]],
    [false, []],
  ])('with invitations %s names the attendees %j', (sendInvites, attendees) => {
    expect(draftEvent(storedMeeting(), [storedAttendee()], sendInvites).attendees).toEqual(attendees);
  });

  it('escapes what is escaped already once more, so that it is read as it was written', () => {
    expect(escapeHtml('&lt;')).toBe('&amp;lt;');
  });
});

describe('the status of a meeting', () => {
  const { endsAt } = storedMeeting();
  it.each([
    ['SCHEDULED', -1, 'SCHEDULED'],
    ['SCHEDULED', 0, 'ENDED'],
    ['SCHEDULED', 1, 'ENDED'],
    ['CANCELLED', 1, 'CANCELLED'],
    ['FAILED', 1, 'FAILED'],
    ['PROVISIONING', 1, 'PROVISIONING'],
  ] as const)('%s is, %i ms from its end, %s', (status, offset, expected) => {
    expect(statusAt({ status, endsAt }, new Date(endsAt.getTime() + offset))).toBe(expected);
  });
});
