import { z } from 'zod';
import { listAllBatched } from './batched-lists.ts';
import { readPlanner } from './call.ts';
import { listAll } from './paging.ts';
import { graphPath } from './path.ts';
import type { GraphRequests } from './requests.ts';
import type { GraphAttendance, GraphAttendanceRecord } from './types.ts';
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

/** Attendance of calendar-backed meetings. Microsoft Learn: meetingattendancereport-list, attendancerecord-list. */
export function attendanceClient(requests: GraphRequests): GraphAttendance {
  return {
    list: async (user, meeting, options) => {
      const operation = 'attendance.list';
      const reportsPath = '/users/{user}/onlineMeetings/{meeting}/attendanceReports';
      const path = graphPath(reportsPath, { user, meeting });
      const reports = await listAll(requests, plan(operation, user, path, options), attendanceReport);
      const recordPlans = reports.map(({ id: report }) => () => {
        const records = graphPath(`${reportsPath}/{report}/attendanceRecords`, { user, meeting, report });
        return plan(operation, user, records, options);
      });
      const call = { operation, user, options };
      const lists = await listAllBatched(requests, call, recordPlans, attendanceRecord);
      return reports.map((report, place) => {
        const { value = [], error } = lists[place] ?? {};
        if (error !== undefined) throw error;
        const records = value.map(({ record }) => record);
        return { ...report, participantCount: report.participantCount ?? records.length, records };
      });
    },
  };
}
