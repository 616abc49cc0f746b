typedef int jingle_placeholder;
