"""The ordinary user whom root borrows to try what one may do: nobody's number, without any capability."""
UID = 65533
COMMAND = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]
