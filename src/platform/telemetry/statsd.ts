import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';

export type Labels = Readonly<Record<string, string>>;

export interface StatsDLine {
  name: string;
  labels: Labels;
  value: number;
  /** A count's increment, a gauge's level, or a time in milliseconds. */
  type: 'c' | 'g' | 'ms';
}

interface Destination {
  host: string;
  port: number;
  prefix: string;
  tags: boolean;
}

/** The largest payload that crosses an Ethernet whole, as StatsD's own documentation advises (docs/metric_types.md). */
const LARGEST_PACKET = 1_432;
const PORT = 8125;

/**
 * Sends to a StatsD by UDP: `udp://host:8125/prefix`. Labels become parts of the name, as the first StatsD has it; with
 * `?tags=datadog` they are tags (`|#lane:bulk`), which Datadog, Telegraf, Vector and Prometheus' exporter read. Nothing
 * is answered and nothing ever fails: a figure that is lost holds up no work.
 */
export class StatsD {
  private readonly to: Destination;
  private readonly socket: Socket;

  constructor(url: string) {
    this.to = destinationOf(url);
    this.socket = createSocket(isIPv6(this.to.host) ? 'udp6' : 'udp4');
    this.socket.on('error', () => undefined);
    this.socket.unref();
  }

  send(lines: readonly StatsDLine[]): void {
    let packet = '';
    for (const line of lines.map((one) => formatLine(one, this.to))) {
      if (packet !== '' && packet.length + 1 + line.length > LARGEST_PACKET) {
        this.put(packet);
        packet = '';
      }
      packet = packet === '' ? line : `${packet}\n${line}`;
    }
    if (packet !== '') this.put(packet);
  }

  private put(packet: string): void {
    this.socket.send(packet, this.to.port, this.to.host, () => undefined);
  }

  close(): void {
    this.socket.close();
  }
}

function destinationOf(url: string): Destination {
  const { hostname, port, pathname, searchParams } = new URL(url);
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port) || PORT,
    prefix: pathname.replaceAll('/', '') || 'quartermaster',
    tags: searchParams.get('tags') === 'datadog',
  };
}

function formatLine({ name, labels, value, type }: StatsDLine, { prefix, tags }: Destination): string {
  const own = name.replace(/^quartermaster_/, '');
  if (!tags) return `${[prefix, own, ...Object.values(labels).map(plain)].join('.')}:${value}|${type}`;
  const suffix = Object.entries(labels)
    .map(([label, text]) => `${label}:${plain(text)}`)
    .join(',');
  return `${prefix}.${own}:${value}|${type}${suffix && `|#${suffix}`}`;
}

/** Colons, bars and dots mean something in a line. */
function plain(text: string): string {
  return text.replace(/[^A-Za-z0-9_-]/g, '_') || '_';
}
