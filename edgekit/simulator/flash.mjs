// The board's flash: Emscripten's file system in memory, kept in a folder of the host.
//
// A file reaches the folder when the board closes or flushes it, whole or not at all, as with littlefs on a
// real board. Folders, renames and removals reach it at once.

import fs from 'node:fs';
import path from 'node:path';

const TEMPORARY = '.edgekit-tmp-';
const ENOSPC = 51, EINVAL = 28;  // Emscripten's numbers
const FOLDER_BLOCKS = 2;  // as littlefs

export class Flash {
    constructor(FS, folder, size) {
        this.FS = FS;
        this.folder = folder;
        // As on the boards: littlefs on a flash chip, FAT with small blocks inside a microcontroller.
        this.block = size < 128 * 1024 ? 512 : 4096;
        this.resize(size);
        this.dirty = new Set();
        this.loading = true;
        this.load(folder, '');
        this.loading = false;
        this.hook();
    }

    resize(size) {
        this.blocks = Math.floor(size / this.block);
    }

    hostPath(node) {
        return path.join(this.folder, ...this.FS.getPath(node).split('/'));
    }

    load(folder, inside) {
        for (const entry of fs.readdirSync(folder)) {
            const from = path.join(folder, entry);
            if (entry.startsWith(TEMPORARY)) {
                fs.rmSync(from, { force: true });  // left by a process that ended in the middle of a write
                continue;
            }
            const status = fs.statSync(from, { throwIfNoEntry: false });
            if (status?.isDirectory()) {
                this.FS.mkdir(`${inside}/${entry}`);
                this.load(from, `${inside}/${entry}`);
            } else if (status?.isFile()) {
                this.FS.writeFile(`${inside}/${entry}`, fs.readFileSync(from));
            }
        }
    }

    save(node) {
        if (!this.dirty.delete(node)) {
            return;
        }
        const target = this.hostPath(node);
        const temporary = path.join(this.folder, TEMPORARY + process.pid);
        fs.writeFileSync(temporary, node.contents ? node.contents.subarray(0, node.usedBytes) : '');
        fs.renameSync(temporary, target);
    }

    // A soft reset closes what a program left open.
    saveAll() {
        for (const node of [...this.dirty]) {
            this.save(node);
        }
    }

    usedBlocks(node = this.FS.root) {
        if (!this.FS.isDir(node.mode)) {
            return Math.ceil((node.usedBytes ?? 0) / this.block);
        }
        return Object.values(node.contents).reduce((sum, child) => sum + this.usedBlocks(child), FOLDER_BLOCKS);
    }

    need(blocks) {
        if (blocks > 0 && this.usedBlocks() + blocks > this.blocks) {
            throw new this.FS.ErrnoError(ENOSPC);
        }
    }

    grow(node, bytes) {
        this.need(Math.ceil(bytes / this.block) - Math.ceil(node.usedBytes / this.block));
    }

    // On Windows a name with a backslash would be a path, out of the folder.
    checkName(name) {
        if (path.sep === '\\' && /[\\:]/.test(name)) {
            throw new this.FS.ErrnoError(EINVAL);
        }
    }

    hook() {
        const { FS, dirty } = this;
        const { dir, file } = FS.filesystems.MEMFS.ops_table;
        const after = (table, name, action) => {
            const original = table[name];
            table[name] = (...args) => {
                const result = original(...args);
                action(...args);
                return result;
            };
        };
        const before = (table, name, action) => {
            const original = table[name];
            table[name] = (...args) => {
                action(...args);
                return original(...args);
            };
        };

        before(dir.node, 'mknod', (parent, name, mode) => {
            this.checkName(name);
            this.need(FS.isDir(mode) ? FOLDER_BLOCKS : 0);
        });
        after(dir.node, 'mknod', (parent, name, mode) => {
            const node = parent.contents[name];
            if (FS.isDir(mode)) {
                fs.mkdirSync(this.hostPath(node), { recursive: true });
            } else {
                dirty.add(node);
            }
        });
        before(dir.node, 'unlink', (parent, name) => {
            dirty.delete(parent.contents[name]);
            fs.rmSync(path.join(this.hostPath(parent), name), { force: true });
        });
        after(dir.node, 'rmdir', (parent, name) => {
            fs.rmdirSync(path.join(this.hostPath(parent), name));
        });
        const rename = dir.node.rename;
        dir.node.rename = (node, newParent, newName) => {
            this.checkName(newName);
            const from = this.hostPath(node);
            const replaced = newParent.contents[newName];
            rename(node, newParent, newName);
            dirty.delete(replaced);
            const to = path.join(this.hostPath(newParent), newName);
            if (fs.existsSync(from)) {
                fs.renameSync(from, to);
            }
        };
        before(file.stream, 'write', (stream, buffer, offset, length, position) => {
            this.grow(stream.node, position + length);
            dirty.add(stream.node);
        });
        before(file.node, 'setattr', (node, attributes) => {
            if (attributes.size !== undefined) {
                this.grow(node, attributes.size);
                dirty.add(node);
            }
        });
        file.stream.fsync = (stream) => { this.save(stream.node); return 0; };
        file.stream.close = (stream) => { this.save(stream.node); };

        FS.statfsNode = () => {
            const free = Math.max(0, this.blocks - this.usedBlocks());
            return { bsize: this.block, frsize: this.block, blocks: this.blocks, bfree: free, bavail: free,
                files: 0, ffree: 0, fsid: 0, flags: 0, namelen: 255 };
        };
    }
}
