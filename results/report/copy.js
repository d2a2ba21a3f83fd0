// A command or a file's text, to be copied or saved: buttons beside each, in report and explorer alike.
// eslint-disable-next-line no-unused-vars -- called by page.js and main.js
const offer_copies = root => {
  const button = (text, label, act) => {
    const made = document.createElement('button');
    made.type = 'button';
    made.textContent = text;
    made.setAttribute('aria-label', label);
    made.addEventListener('click', () => act(made));
    return made;
  };
  for (const box of root.querySelectorAll('.code:not([data-offered])')) {
    box.dataset.offered = '1';
    const shown = box.querySelector('pre'),
      what = box.dataset.file || 'command';
    const copy = async made => {
      try {
        await navigator.clipboard.writeText(shown.textContent);
        made.textContent = 'Copied';
      } catch {
        getSelection().selectAllChildren(shown); // no clipboard here: Ctrl-C takes what is marked
        made.textContent = 'Selected';
      }
      setTimeout(() => {
        made.textContent = 'Copy';
      }, 2000);
    };
    const save = () => {
      const url = URL.createObjectURL(new Blob([shown.textContent], {type: 'text/plain'})),
        link = Object.assign(document.createElement('a'), {href: url, download: box.dataset.file});
      document.body.append(link);
      link.click();
      link.remove();
      setTimeout(() => URL.revokeObjectURL(url), 10000);
    };
    const buttons = document.createElement('span');
    buttons.append(button('Copy', `Copy ${what}`, copy));
    if (box.dataset.file) buttons.append(button('Save', `Save ${what}`, save));
    box.append(buttons);
  }
};
