// An export alone: everything is in the file, `opening` too, the address that it opens with.
/* global opening */
{
  const told = id => JSON.parse(document.getElementById(id).textContent);
  explorer.live = false;
  document.getElementById('export').hidden = true;
  if (!location.hash && opening !== '#')
    try {
      history.replaceState(null, '', opening);
    } catch {
      Object.assign(explorer.state, explorer.read(opening));
    }
  explorer.take_payload(told('payload'));
  explorer.later = () => {
    const {answers, faces, written, searches} = told('later');
    explorer.take_answers(answers);
    explorer.take_faces(faces);
    explorer.take_written({...written, searches});
  };
}
