// An export alone: everything is in the file, `opening` too, the address that it opens with.
/* global opening */
{
  const text = id => document.getElementById(id).textContent;
  const unpacked = base64 => {
    const bytes = explorer.array({kind: 'u1', base64});
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).json();
  };
  explorer.live = false;
  document.getElementById('export').hidden = true;
  if (!location.hash && opening !== '#')
    try {
      history.replaceState(null, '', opening);
    } catch {
      explorer.opening = opening; // a sandboxed file may have no history
    }
  explorer.take_payload(JSON.parse(text('payload')));
  explorer.later = async () => {
    const {answers, faces, written, searches} = await unpacked(text('later'));
    explorer.take_answers(answers);
    explorer.take_faces(faces);
    explorer.take_written({...written, searches});
  };
}
