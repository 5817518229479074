/* The style and the script of the class's page. */
#include "grader/class/page.h"
#include "grader/result/report_html_parts.h"

HTML_TAKE_IN(class_style, "grader/class/class.css");
HTML_TAKE_IN(class_script, "grader/class/class.js");
