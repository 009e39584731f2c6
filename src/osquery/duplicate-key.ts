/** Of the alert that another machine wants to enrol as this node. */
export function duplicateKey(nodeId: string): string {
  return `device_duplicate:${nodeId}`;
}
