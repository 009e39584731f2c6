import { FleetEmulator, type FleetEmulatedHost } from '../../test/emulators/fleet/fleet-emulator.js';

/**
 * What manages the laptops of the demo and the drill: an emulator of Fleet, on Fleet's real paths, in this process. No Fleet server can be
 * had without MySQL and a binary that no registry has; its README says where it is kinder than a real one.
 */
export class DeviceManager {
  private constructor(
    private readonly fleet: FleetEmulator,
    readonly token: string,
  ) {}

  static async start(): Promise<DeviceManager> {
    const fleet = await FleetEmulator.start();
    return new DeviceManager(fleet, fleet.addUser('quartermaster@acme.example', 'admin').token);
  }

  get url(): string {
    return this.fleet.url;
  }

  /** A laptop with its agent. Of a Linux it tells nothing about the disk, as the real one. */
  enrol(serial: string): void {
    this.fleet.addHost({ serial, platform: 'ubuntu', detailUpdatedAt: null });
  }

  /** Asked at the machine itself, past what the service was told. */
  stateOf(serial: string): FleetEmulatedHost['deviceStatus'] | undefined {
    return this.fleet.hosts.find((host) => host.serial === serial)?.deviceStatus;
  }

  async stop(): Promise<void> {
    await this.fleet.stop();
  }
}
