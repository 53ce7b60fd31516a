/** The files in an EPUB. Its bytes are somebody else's: no file is unpacked that claims to be larger than a book's parts are. */
import { unzipSync, type UnzipFileInfo } from 'fflate';

/** Of one file, unpacked. */
const FILE_MAX = 64 * 1024 * 1024;

export class Archive {
  private readonly sizes = new Map<string, number>();

  private constructor(private readonly bytes: Uint8Array) {}

  static async open(file: Blob): Promise<Archive> {
    const archive = new Archive(new Uint8Array(await file.arrayBuffer()));
    archive.walk((info) => {
      archive.sizes.set(info.name, info.originalSize);
      return false;
    });
    return archive;
  }

  size(path: string): number {
    return this.sizes.get(path) ?? 0;
  }

  /** Null for a file that is not there, or is too large. */
  async read(path: string): Promise<Uint8Array<ArrayBuffer> | null> {
    const size = this.sizes.get(path);
    if (size === undefined || size > FILE_MAX) return null;
    const files = this.walk((info) => info.name === path);
    return (files[path] as Uint8Array<ArrayBuffer> | undefined) ?? null;
  }

  async text(path: string): Promise<string | null> {
    const bytes = await this.read(path);
    return bytes && new TextDecoder().decode(bytes);
  }

  private walk(filter: (info: UnzipFileInfo) => boolean): Record<string, Uint8Array> {
    return unzipSync(this.bytes, { filter });
  }
}
