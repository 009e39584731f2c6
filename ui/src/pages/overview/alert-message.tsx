import type { ReactNode } from 'react';
import { Link } from '@tanstack/react-router';
import { useMay } from '../../shell/caller.js';

interface Props {
  kind: string;
  message: string;
}

/** What an alert says; where something can be done about it, it leads there. */
export function AlertMessage({ kind, message }: Props): ReactNode {
  const mayReadDevices = useMay()('devices:read');
  if (!mayReadDevices) return message;
  switch (kind) {
    case 'device_return_overdue':
      return (
        <Link to="/returns" search={{ only: 'overdue' }}>
          {message}
        </Link>
      );
    case 'spares_short':
      return (
        <Link to="/models" search={{ only: 'short' }}>
          {message}
        </Link>
      );
    case 'image_withdrawn':
      return (
        <Link to="/images" search={{ channel: 'withdrawn' }}>
          {message}
        </Link>
      );
    default:
      return message;
  }
}
