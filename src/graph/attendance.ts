import { z } from 'zod';
import { listAllBatched } from './batched-lists.ts';
import { readPlanner } from './call.ts';
import { graphPath } from './path.ts';
import type { GraphRequests } from './requests.ts';
import type { GraphAttendance, GraphAttendanceRecord, GraphAttendanceReport } from './types.ts';
import { instant, optionalText } from './wire.ts';

/** Microsoft Learn: resources/meetingattendancereport. */
const attendanceReport = z
  .object({
    id: z.string(),
    totalParticipantCount: z.number().int().nullish(),
    meetingStartDateTime: instant,
    meetingEndDateTime: instant,
  })
  .transform((wire) => ({
    id: wire.id,
    startedAt: wire.meetingStartDateTime,
    endedAt: wire.meetingEndDateTime,
    participantCount: wire.totalParticipantCount ?? null,
  }));

/** Microsoft Learn: resources/attendancerecord. A record without id is known by all that it says. */
const attendanceRecord: z.ZodType<{ id: string; record: GraphAttendanceRecord }> = z
  .object({
    id: optionalText,
    emailAddress: optionalText,
    identity: z.object({ displayName: optionalText }).nullish(),
    role: optionalText,
    totalAttendanceInSeconds: z.number().nullish(),
    attendanceIntervals: z.unknown().optional(),
  })
  .transform((wire) => ({
    id: wire.id ?? JSON.stringify(wire),
    record: {
      emailAddress: wire.emailAddress || null,
      name: wire.identity?.displayName || null,
      role: wire.role,
      totalSeconds: wire.totalAttendanceInSeconds ?? 0,
    },
  }));

const plan = readPlanner('onlineMeetings', ['OnlineMeetingArtifact.Read.All']);
const REPORTS = '/users/{user}/onlineMeetings/{meeting}/attendanceReports';
const OPERATION = 'attendance.listOfMeetings';

/** Attendance of calendar-backed meetings. Microsoft Learn: meetingattendancereport-list, attendancerecord-list. */
export function attendanceClient(requests: GraphRequests): GraphAttendance {
  return {
    listOfMeetings: async (user, meetingIds, options) => {
      const call = { operation: OPERATION, user, options };
      const meetings = [...new Set(meetingIds)];
      const plans = meetings.map(
        (meeting) => () => plan(OPERATION, user, graphPath(REPORTS, { user, meeting }), options),
      );
      const lists = await listAllBatched(requests, call, plans, attendanceReport);
      const reports = meetings.flatMap((meeting, place) =>
        (lists[place]?.value ?? []).map((report) => ({ meeting, report })),
      );
      const recordPlans = reports.map(({ meeting, report }) => () => {
        const records = graphPath(`${REPORTS}/{report}/attendanceRecords`, { user, meeting, report: report.id });
        return plan(OPERATION, user, records, options);
      });
      const recordLists = await listAllBatched(requests, call, recordPlans, attendanceRecord);

      const outcomes = new Map(
        meetings.map((meeting, place) => {
          const reports: GraphAttendanceReport[] = [];
          return [meeting, { reports, error: lists[place]?.error ?? null }];
        }),
      );
      for (const [place, { meeting, report }] of reports.entries()) {
        const { value, error } = recordLists[place] ?? {};
        const outcome = outcomes.get(meeting);
        if (outcome === undefined) continue;
        if (error !== undefined) outcome.error = error;
        if (value === undefined) continue;
        const records = value.map(({ record }) => record);
        outcome.reports.push({ ...report, participantCount: report.participantCount ?? records.length, records });
      }
      return outcomes;
    },
  };
}
