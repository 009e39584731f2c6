import type { ReactNode } from 'react';
import type { Connector } from '../../api/types.js';

/** What a connector can do, and what its credentials have to be allowed for that. */
export function Capabilities({ of }: { of: Connector }): ReactNode {
  return (
    <ul className="rows">
      {of.capabilities.map(({ capability, permission }) => (
        <li key={capability} className="row-plain">
          <span className="row-name">{capability}</span>
          <span className="row-detail">{permission}</span>
        </li>
      ))}
    </ul>
  );
}
