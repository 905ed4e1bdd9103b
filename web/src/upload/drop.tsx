/** The whole page takes files: dropped, pasted, or chosen by a button. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon } from '../lib/icons.js';
import { say } from '../lib/say.js';
import { chosen, filesOf } from './files.js';
import { add } from './model.js';

function take(files: readonly File[]): void {
  if (files.length > 0) add(files);
  else say('There is no file in that.');
}

const takeFrom = async (data: DataTransfer): Promise<void> => take(await filesOf(data).catch(() => []));

export function DropZone() {
  const [over, setOver] = useState(false);
  useEffect(() => {
    // Entering a child is leaving its parent: counted.
    let depth = 0;
    const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
    const enter = (event: DragEvent): void => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      depth += 1;
      setOver(true);
    };
    const leave = (): void => {
      depth = Math.max(0, depth - 1);
      if (depth === 0) setOver(false);
    };
    const allow = (event: DragEvent): void => {
      if (hasFiles(event)) event.preventDefault();
    };
    const drop = (event: DragEvent): void => {
      depth = 0;
      setOver(false);
      if (!event.dataTransfer || !hasFiles(event)) return;
      event.preventDefault();
      void takeFrom(event.dataTransfer);
    };
    const paste = (event: ClipboardEvent): void => {
      if (!event.clipboardData || event.clipboardData.files.length === 0) return;
      event.preventDefault();
      void takeFrom(event.clipboardData);
    };
    addEventListener('dragenter', enter);
    addEventListener('dragleave', leave);
    addEventListener('dragover', allow);
    addEventListener('drop', drop);
    addEventListener('paste', paste);
    return () => {
      removeEventListener('dragenter', enter);
      removeEventListener('dragleave', leave);
      removeEventListener('dragover', allow);
      removeEventListener('drop', drop);
      removeEventListener('paste', paste);
    };
  }, []);
  return over ? (
    <div class="drop-here">
      <p>
        <Icon name="upload" size={40} />
        Drop to upload
      </p>
    </div>
  ) : null;
}

export function UploadButtons() {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const onChange = ({ currentTarget }: { currentTarget: HTMLInputElement }): void => {
    take(chosen(currentTarget.files));
    // The same file may be chosen again.
    currentTarget.value = '';
  };
  return (
    <span class="upload-buttons">
      <button type="button" class="button primary" aria-label="Upload" onClick={() => files.current!.click()}>
        <Icon name="upload" size={18} />
        <span>Upload</span>
      </button>
      <button
        type="button"
        class="button folder"
        aria-label="Upload a folder"
        title="Upload a folder"
        onClick={() => folder.current!.click()}
      >
        <Icon name="folder" size={18} />
      </button>
      <input ref={files} type="file" multiple hidden aria-label="Files to upload" onChange={onChange} />
      <input
        ref={(element) => {
          folder.current = element;
          element?.setAttribute('webkitdirectory', '');
        }}
        type="file"
        hidden
        aria-label="Folder to upload"
        onChange={onChange}
      />
    </span>
  );
}
