/** Why that with which a machine reports by itself ended: its own token, its osquery node. */
export const REPORTING_ENDS = ['replaced', 'withdrawn', 'handed_back', 'retired'] as const;
export type ReportingEnd = (typeof REPORTING_ENDS)[number];
